trace shop >shop.perfetto-trace
marey tree --filter "Cart.*" shop.perfetto-trace
marey tree -f "!Cart.*" -f "!round" shop.perfetto-trace
marey tree -f price -f shop.cart.Cart.checkout shop.perfetto-trace
marey tree --module shop --min-time 7us shop.perfetto-trace
marey tree --module "!shop" --module "__main__" shop.perfetto-trace
marey tree --exception "*" shop.perfetto-trace
marey tree --exception KeyError shop.perfetto-trace
marey tree --filter nothing shop.perfetto-trace

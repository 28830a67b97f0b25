-- The load of wrk: the cart of one user of many.
request = function()
    return wrk.format("GET", "/cart/" .. math.random(1, 100000))
end

trace sampled | marey convert --to callgrind --title 'One second' -

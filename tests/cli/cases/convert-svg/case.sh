# The frames alone: script and look are no business of a person's.
trace sampled | marey convert --to svg --title 'A & B' - >s.svg
sed -n '/<text class/p; /<g class="frames"/,/^<\/g>/p' s.svg

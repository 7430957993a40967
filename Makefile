# The two commands. Each installs what it needs on Debian and says what it is doing.
.PHONY: demo test

# Builds Garrison and hunts through a day of a web shop's logs in which an attack is hidden.
demo:
	@scripts/prepare build
	@echo "== building garrison (release, a few minutes the first time)"
	@cargo build --release --locked --package garrison
	@echo "== writing a day of logs of 14 hosts into ./demo, with an attack from 203.0.113.24 in it"
	@rm -rf demo
	@target/release/garrison log generate --story shop --attack --out demo | tail -n +2 | wc -l | xargs echo "files written:"
	@echo "== garrison hunt --level medium demo"
	@target/release/garrison hunt --level medium --summary demo; test $$? -eq 3

# Installs what the tests need and runs everything; ends with the test runner's summary.
test:
	@scripts/prepare test
	@scripts/test

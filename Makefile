# The two commands. Each installs what it needs on Debian and says what it is doing.
.PHONY: demo test

# Builds Garrison and runs the demo: a server on loopback, a link into its console, logs with attacks in them as they come.
# The development profile takes a third of the time of a release, and shares what it built with the tests: for one test is
# built too, whose dependencies have the features that all tests need.
demo:
	@scripts/prepare build
	@echo "== building garrison (ten to twenty minutes the first time)"
	@cargo build --workspace --locked --quiet --bin garrison --test policy
	@target/debug/garrison demo

# Installs what the tests need and runs everything; ends with the test runner's summary.
test:
	@scripts/prepare test
	@scripts/test

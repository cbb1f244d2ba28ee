"""A partner's and a phone's program, over HTTP like anybody's: nothing in here imports our code."""

"""httpbin, built in: the same paths and answers, in our own code and words, so that nothing else must be installed."""

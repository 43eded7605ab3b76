"""The service beside peers and beside the limit, loaded by one generator, on one core.

payloads       what is asked: three sizes
forms          how each writes a request and an answer
contestants    who takes part, and how each is started
model          the model file as a function, for every server but ours
controls/      the transport's limit and the work's limit, by hand
peers/         what others serve with
environments   an environment of its own for each peer
programs       wrk and valgrind, fetched where they are not
servers        one contestant that runs, held to the right answer
processes      all processes of a server, and their processor time
load           wrk: requests per second, latency, processor time
instructions   instructions per request; `python -m benchmarks.serving.instructions`
rounds         everybody in turn, again and again
grid           what is measured of whom
found          all of it, and ratios within it
goals          what was to be reached
report         tables and a figure
"""

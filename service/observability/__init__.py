"""What can be seen of a running service.

record     what is known of the request that is being answered
metrics    what is counted and measured
processes  memory, CPU time and open files of all workers together
logs       lines for people or for machines, each with its request
"""

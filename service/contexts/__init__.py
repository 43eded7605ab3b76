"""Contexts that live on the server: each a state of constant size, under a name, in the database.

contexts        they are made, fed, asked, joined, removed
context_record  what is told of a context, and on which terms it is changed
shelf           taken out and put back within one transaction, once for each idempotency key
recent          those used last, ready to be asked
memory          what a context remembers: its state, and how its observations looked
learning        observations and merges into what is kept, if that stays right
rows            observations, and what a request calls them
column_order    named columns of a request, put into the order of the context
steps           one message of a stream: predict, then learn
precision       significant digits of the sums: an observation that would cost them is refused
removal         observations taken out: refused where the sums that remain would be wrong
history         what tells a constant column from one whose variation was lost to rounding
merge           two states of one model into one, without the model
fitting         whether observations and queries fit a context
forgetting      how a state fades where old observations count less: λ^(N−1−i)
decay           how a context forgets: not at all, by a fixed factor, or by the one that predicts best
drift           decay auto: a state for each of a few factors, weighted by how well each has predicted
compact         half of a symmetric state, as it is stored
state_validation  values of an imported state that no observations lead to
portable        a memory as safetensors bytes, and back again if nothing is wrong with them
"""

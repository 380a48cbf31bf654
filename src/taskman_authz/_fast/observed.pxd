cimport cython
from .activation cimport Activation
from .nodes cimport Node

@cython.final
cdef class Observed(Node):
    cdef readonly Node node
    cdef readonly object id

cimport cython
from .activation cimport Activation
from .nodes cimport Node

cdef class Deferred(Node):
    cdef object plan
    cdef object data
    cdef Node node
    @cython.locals(node=Node)
    cdef object value(self, Activation activation)
    cpdef Node planned(self)

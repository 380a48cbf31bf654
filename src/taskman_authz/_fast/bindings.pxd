cimport cython
from .activation cimport Activation, Unset
from .nodes cimport Node

cdef class Lazy(Node):
    cdef readonly Py_ssize_t register
    cdef readonly Node initial
    cdef object value(self, Activation activation)

cdef class Block(Node):
    cdef readonly tuple bound
    cdef readonly Node result
    @cython.locals(register=Py_ssize_t)
    cdef object value(self, Activation activation)

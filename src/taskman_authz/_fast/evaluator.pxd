cimport cython
from .activation cimport Activation
from .nodes cimport Node

cdef class Evaluator:
    cdef readonly Node node
    cdef readonly Py_ssize_t slots
    cdef readonly Py_ssize_t registers
    cdef readonly Py_ssize_t roots
    cdef readonly Py_ssize_t steps
    cdef Activation spare
    @cython.locals(activation=Activation, found=int)
    cdef object run(self, object variables)
    @cython.locals(made=Activation)
    cdef Activation another(self)
    cpdef object finish(self, object value)

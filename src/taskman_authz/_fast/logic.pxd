cimport cython
from .activation cimport Activation
from .nodes cimport Link, Node, Test, answer, linked
from .values cimport Fault

cdef class And(Test):
    cdef readonly tuple operands
    cdef Node first
    cdef Link rest
    @cython.locals(link=Link, found=int)
    cdef int truth(self, Activation activation) except -1

cdef class Or(Test):
    cdef readonly tuple operands
    cdef Node first
    cdef Link rest
    @cython.locals(link=Link, found=int)
    cdef int truth(self, Activation activation) except -1

cdef class Not(Test):
    cdef readonly Node operand
    @cython.locals(found=int)
    cdef int truth(self, Activation activation) except -1

cdef class Conditional(Node):
    cdef readonly Node condition
    cdef readonly Node chosen
    cdef readonly Node other
    @cython.locals(found=int)
    cdef object value(self, Activation activation)

@cython.final
cdef class NotStrictlyFalse(Test):
    cdef readonly Node operand

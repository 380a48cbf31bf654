cimport cython
from .activation cimport Activation
from .nodes cimport Link, Node, linked
from .values cimport Fault

cdef class And(Node):
    cdef readonly tuple operands
    cdef Link links
    @cython.locals(link=Link)
    cdef object value(self, Activation activation)

cdef class Or(Node):
    cdef readonly tuple operands
    cdef Link links
    @cython.locals(link=Link)
    cdef object value(self, Activation activation)

@cython.final
cdef class Not(Node):
    cdef readonly Node operand

@cython.final
cdef class Conditional(Node):
    cdef readonly Node condition
    cdef readonly Node chosen
    cdef readonly Node other

@cython.final
cdef class NotStrictlyFalse(Node):
    cdef readonly Node operand

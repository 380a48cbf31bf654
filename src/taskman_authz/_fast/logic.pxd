cimport cython
from .activation cimport Activation
from .nodes cimport Link, Node, Test, answer, linked
from .values cimport Fault

cdef object _not_bool(str function, object value, int position)
cdef int _undecided(str function, Activation activation, int position) except -1

cdef class And(Test):
    cdef readonly tuple operands
    cdef Node first
    cdef Node second
    cdef Link rest
    @cython.locals(link=Link)
    cdef int decided_by_others(self, int found, Activation activation) except -1
    @cython.locals(found=int)
    cdef int truth(self, Activation activation) except -1

cdef class Or(Test):
    cdef readonly tuple operands
    cdef Node first
    cdef Node second
    cdef Link rest
    @cython.locals(link=Link)
    cdef int decided_by_others(self, int found, Activation activation) except -1
    @cython.locals(found=int)
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

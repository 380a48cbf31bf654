cimport cython
from .access cimport index, index_optional
from .activation cimport Activation
from .folds cimport not_bool
from .nodes cimport Node, placed, value_of
from .values cimport Fault, ObjectValue, OptionalValue

cdef class Incomplete(ObjectValue):
    pass

@cython.locals(fault=Fault)
cpdef bint is_unknown(object value) except -1
cpdef Fault union(Fault first, Fault second)
@cython.locals(optional=OptionalValue)
cpdef object settled(object value)

@cython.final
cdef class Settled(Node):
    cdef readonly Node node

cdef class Junction(Node):
    cdef readonly tuple operands
    cdef readonly bint decides
    cdef readonly str function
    @cython.locals(operand=Node)
    cdef object value(self, Activation activation)

cdef class Strict(Node):
    cdef readonly tuple operands
    cdef readonly Py_ssize_t register
    cdef readonly Node node
    @cython.locals(operand=Node, register=Py_ssize_t)
    cdef object value(self, Activation activation)

@cython.final
cdef class Step(Node):
    cdef readonly Node operand
    cdef readonly Node key
    cdef readonly bint optional

@cython.final
cdef class Opened(Node):
    cdef readonly Node node

@cython.final
cdef class Noted(Node):
    cdef readonly Node node
    cdef readonly Py_ssize_t register
    cdef readonly object other

@cython.final
cdef class Loop(Node):
    cdef readonly Node node
    cdef readonly Py_ssize_t register
    cdef readonly object decides

cimport cython
from .access cimport adapt, index_optional, is_map, keys, missing, select_optional
from .activation cimport Activation
from .nodes cimport Node, make_map, placed, value_of
from .values cimport Fault, ObjectValue, OptionalValue, some

@cython.final
cdef class OptionalMember(Node):
    cdef readonly Node operand
    cdef readonly str name

@cython.final
cdef class OptionalIndex(Node):
    cdef readonly Node operand
    cdef readonly Node key

cdef class Either(Node):
    cdef readonly Node optional
    cdef readonly Node other
    cdef readonly bint unwraps
    @cython.locals(optional=OptionalValue)
    cdef object value(self, Activation activation)

cdef class MemberOr(Node):
    cdef readonly Node operand
    cdef readonly str name
    cdef readonly Node other
    @cython.locals(members=dict, optional=OptionalValue)
    cdef object value(self, Activation activation)

cdef class MapOptional(Node):
    cdef readonly Node optional
    cdef readonly Py_ssize_t register
    cdef readonly Node result
    cdef readonly bint flat
    @cython.locals(optional=OptionalValue)
    cdef object value(self, Activation activation)

cdef class MakeOptionalList(Node):
    cdef readonly tuple elements
    cdef readonly tuple optionals
    @cython.locals(number=Py_ssize_t, made=list)
    cdef object value(self, Activation activation)

cdef class MakeOptionalMap(Node):
    cdef readonly tuple keys
    cdef readonly tuple members
    cdef readonly tuple optionals
    @cython.locals(number=Py_ssize_t, made=list)
    cdef object value(self, Activation activation)

@cython.locals(optional=OptionalValue)
cpdef bint is_none(object value) except -1
@cython.locals(optional=OptionalValue)
cpdef object opened(object value)

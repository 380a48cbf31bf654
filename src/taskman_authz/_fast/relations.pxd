cimport cython
from .access cimport EntityValue, adapt, entries, is_map, lookup, missing
from .activation cimport Activation
from .nodes cimport Node
from .values cimport CelType, Fault

cpdef bint equals(object left, object right) except -1
cpdef bint _equals_other(object left, object right) except -1
@cython.locals(number=Py_ssize_t)
cpdef bint _equal_lists(object left, object right) except -1
cpdef bint _equal_maps(object left, object right) except -1
cpdef bint _equal_raw(object left, object right) except -1
cpdef object member_of(object value, object container, int position)
cpdef object compare(object left, object right, str function, int position)

@cython.final
cdef class Equal(Node):
    cdef readonly Node left
    cdef readonly Node right

@cython.final
cdef class NotEqual(Node):
    cdef readonly Node left
    cdef readonly Node right

@cython.final
cdef class EqualText(Node):
    cdef readonly Node operand
    cdef readonly str text
    cdef readonly bint negated

cdef class Order(Node):
    cdef readonly Node left
    cdef readonly Node right
    cdef readonly int operator
    @cython.locals(a=cython.longlong, b=cython.longlong)
    cdef object value(self, Activation activation)
    cdef object ordered(self, object comparison)

@cython.final
cdef class In(Node):
    cdef readonly Node member
    cdef readonly Node container

@cython.final
cdef class InTexts(Node):
    cdef readonly Node member
    cdef readonly frozenset texts

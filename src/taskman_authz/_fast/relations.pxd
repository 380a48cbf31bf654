cimport cython
from . cimport native
from .access cimport adapt, entries, find, is_map, is_whole, missing
from .activation cimport Activation, extent
from .nodes cimport Attribute, Node, Test, TextTest, answer, placed
from .times cimport Duration, Timestamp, since
from .values cimport Fault, ObjectValue, OptionalValue

cdef Py_ssize_t PAIR

cpdef object equals(object left, object right, Activation meter=*)
cpdef object _equal(object left, object right, int depth, Activation meter)
cpdef object _equal_lists(object left, object right, int depth, Activation meter)
cpdef object _equal_maps(object left, object right, int depth, Activation meter)
cpdef object _equal_optionals(OptionalValue left, OptionalValue right, int depth, Activation meter)
cpdef object _equal_members(object left, object right, int depth, Activation meter)
cpdef object member_of(object value, object container, Activation meter=*)
@cython.locals(found=int)
cpdef object text_in_list(str wanted, list members, Activation meter)
@cython.locals(size=Py_ssize_t, text=str)
cpdef int among(str wanted, list members, Activation meter, int position) except -1
cpdef object _member_of_list(object value, object container, Activation meter)
cpdef object compare(object left, object right, str function)

cdef class Equal(Test):
    cdef readonly Node left
    cdef readonly Node right
    cdef Attribute first
    cdef Attribute second
    @cython.locals(text=str, found=int)
    cdef int truth(self, Activation activation) except -1

cdef class NotEqual(Test):
    cdef readonly Node left
    cdef readonly Node right
    @cython.locals(found=int)
    cdef int truth(self, Activation activation) except -1

cdef class EqualText(TextTest):
    cdef readonly Node operand
    cdef readonly bint negated
    @cython.locals(found=int)
    cdef int truth(self, Activation activation) except -1

cdef class EqualInt(Test):
    cdef readonly Node operand
    cdef readonly object constant
    cdef readonly long long number
    cdef readonly bint negated
    @cython.locals(x=cython.longlong, found=int)
    cdef int truth(self, Activation activation) except -1

cdef class Order(Test):
    cdef readonly Node left
    cdef readonly Node right
    cdef readonly int operator
    @cython.locals(a=cython.longlong, b=cython.longlong)
    cdef int truth(self, Activation activation) except -1
    cdef int ordered(self, object comparison, Activation activation) except -1

cdef class OrderInt(Order):
    cdef readonly long long number
    @cython.locals(x=cython.longlong, found=int)
    cdef int truth(self, Activation activation) except -1

@cython.final
cdef class In(Test):
    cdef readonly Node member
    cdef readonly Node container

cdef class TextIn(TextTest):
    cdef readonly Node container
    @cython.locals(found=int)
    cdef int truth(self, Activation activation) except -1

@cython.final
cdef class InTexts(Test):
    cdef readonly Node member
    cdef readonly frozenset texts
    cdef readonly bint negated

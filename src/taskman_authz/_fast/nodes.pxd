cimport cython
from .access cimport adapt, has, index, select
from .activation cimport Activation, Path, Unset
from .values cimport Fault, MixedMap

cdef class Node:
    cdef readonly int position
    cdef object value(self, Activation activation)
    cdef int truth(self, Activation activation) except -1

cdef class Test(Node):
    pass

cpdef int answer(object value, Activation activation) except -1
cpdef object evaluate(Node node, Activation activation)
cpdef object value_of(Node node, Activation activation)
cpdef object make_map(list pairs)
cpdef object placed(object value, int position)

@cython.final
cdef class Link:
    cdef readonly Node node
    cdef readonly Link rest

cpdef Link linked(tuple nodes)

@cython.final
cdef class Constant(Node):
    cdef readonly object constant
    cdef int told

cdef class Attribute(Node):
    cdef readonly Py_ssize_t slot
    cdef readonly Path path
    cdef readonly Py_ssize_t root
    cdef readonly str name
    cdef readonly str member
    cdef readonly Py_ssize_t depth
    cdef public bint kept
    cdef object value(self, Activation activation)
    cdef object member_of(self, dict members, Activation activation)
    @cython.locals(members=dict)
    cdef object read(self, Activation activation)

cdef class TextTest(Test):
    cdef Py_ssize_t slot
    cdef Py_ssize_t size
    cdef readonly str text
    cdef Attribute read
    cdef reads(self, Node operand, str text)

@cython.final
cdef class Local(Node):
    cdef readonly Py_ssize_t register

@cython.final
cdef class Member(Node):
    cdef readonly Node operand
    cdef readonly str name

@cython.final
cdef class Has(Node):
    cdef readonly Node operand
    cdef readonly str name

@cython.final
cdef class Index(Node):
    cdef readonly Node operand
    cdef readonly Node key

cdef class MakeList(Node):
    cdef readonly tuple elements
    @cython.locals(element=Node)
    cdef object value(self, Activation activation)

@cython.final
cdef class MakeMap(Node):
    cdef readonly tuple keys
    cdef readonly tuple members

cdef class Call(Node):
    cdef readonly object function
    cdef readonly tuple arguments
    @cython.locals(argument=Node)
    cdef object value(self, Activation activation)

cimport cython
from .logic cimport And, Or
from .nodes cimport Attribute, Node
from .relations cimport EqualText, InTexts

@cython.final
cdef class Required:
    cdef readonly Attribute reader
    cdef readonly tuple texts

cpdef tuple required_of(Node condition)
@cython.locals(equal=EqualText, member=InTexts, every=And, either=Or)
cdef dict _required(Node node)
@cython.locals(reader=Attribute)
cdef dict _of(Node operand, tuple texts, bint negated)
@cython.locals(known=Required, one=Required)
cdef dict _all(tuple operands)
cdef Required _both(Required one, Required other)
cdef dict _any(tuple operands)
cdef Required _either(Required one, Required other)

cimport cython

cdef class CelType:
    cdef readonly str name

cdef class ObjectValue:
    pass

cdef class OptionalValue:
    cdef readonly bint present
    cdef readonly tuple held

cdef class Fault:
    cdef readonly str code
    cdef readonly tuple details
    cdef public int position

cdef class MixedMap:
    cdef readonly dict bools
    cdef readonly dict others

@cython.locals(made=OptionalValue)
cpdef OptionalValue some(object content)

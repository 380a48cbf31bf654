cimport cython

cdef class CelType:
    cdef readonly str name

cdef class ObjectValue:
    pass

@cython.trashcan(True)
cdef class OptionalValue:
    cdef readonly bint present
    cdef readonly object content

cdef class Fault:
    cdef readonly str code
    cdef readonly tuple details
    cdef public int position

cdef class MixedMap:
    cdef readonly dict bools
    cdef readonly dict others

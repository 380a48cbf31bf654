cimport cython

cdef class Matcher:
    cpdef object match(self, str text)

cdef class Contains(Matcher):
    cdef readonly str word

cdef class ContainsAny(Matcher):
    cdef readonly tuple words

cdef class Starts(Matcher):
    cdef readonly tuple words

cdef class Ends(Matcher):
    cdef readonly tuple words

cdef class Equals(Matcher):
    cdef readonly frozenset words

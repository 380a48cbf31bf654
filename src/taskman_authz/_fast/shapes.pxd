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

cdef class CharacterRun:
    cdef readonly str characters
    cdef readonly bint negated
    cdef readonly Py_ssize_t least
    cdef readonly Py_ssize_t most
    cpdef bint fills(self, str part)

cdef class Run(Matcher):
    cdef readonly tuple prefixes
    cdef readonly CharacterRun run
    cdef readonly tuple suffixes
    cdef readonly bint start
    cdef readonly bint end
    @cython.locals(run=CharacterRun, stop=Py_ssize_t)
    cdef bint holds(self, str text, Py_ssize_t before, Py_ssize_t after)

cdef class Padded(Matcher):
    cdef readonly tuple words
    cdef readonly CharacterRun run

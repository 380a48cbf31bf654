cimport cython
from .decide cimport Outcome
from .messages cimport Names, Wanted
from .native cimport sifting

cdef Py_ssize_t MARKS

@cython.final
@cython.no_gc  # what it holds holds no answer
@cython.freelist(256)
cdef class Answer:
    cdef readonly Outcome outcome
    cdef readonly str company

@cython.locals(made=Answer)
cpdef Answer answer_of(Outcome outcome, str company)

@cython.final
cdef class Sieve:
    cdef tuple cells
    cdef bint reads_id
    cdef Py_ssize_t longest
    cdef int depth
    cdef Py_ssize_t most
    cdef dict known
    cdef readonly Py_ssize_t kept
    cdef readonly Py_ssize_t hits
    cdef readonly Py_ssize_t misses
    cdef list marks
    cdef list near
    @cython.locals(answer=Answer)
    cdef object find(self, dict known, bytes data, Py_ssize_t start, Py_ssize_t stop)
    cdef dict answers(self, bytes defaults)
    @cython.locals(found=dict, mark=Py_hash_t)
    cdef Answer recall(self, bytes defaults, bytes item)
    @cython.locals(found=dict, mark=Py_hash_t, place=Py_ssize_t)
    cdef remember(self, bytes defaults, bytes item, Answer answer)

cdef list _cells(Names names)

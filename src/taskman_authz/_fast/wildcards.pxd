cimport cython

@cython.final
cdef class Pattern:
    cdef readonly str text
    cdef readonly str separator
    cdef readonly tuple segments
    cdef readonly bint open
    cpdef str head(self)
    @cython.locals(last=Py_ssize_t, number=Py_ssize_t, found=list)
    cpdef bint matches(self, str name)

cdef bint _is_segment(str pattern, str segment)
cpdef bint matches(str pattern, str name, str separator)
cpdef tuple split_resource(str pattern)

@cython.final
cdef class PatternTable:
    cdef readonly str separator
    cdef readonly dict exact
    cdef readonly object everything
    cdef readonly dict heads
    cdef readonly dict open
    cpdef object place(self, str pattern, object make)
    @cython.locals(pattern=Pattern, group=dict)
    cdef object _place_wildcard(self, str text, object make)
    cdef dict _group(self, object head)
    @cython.locals(group=dict)
    cpdef object get(self, str pattern)
    @cython.locals(made=PatternTable, wildcard=Pattern, group=dict)
    cpdef PatternTable changed(self, str pattern, object value)
    cpdef PatternTable unless_empty(self)
    cpdef bint restricts(self)
    cpdef list find(self, str name)
    @cython.locals(group=dict, found=list)
    cpdef list find_restricted(self, str name)

@cython.locals(pattern=Pattern)
cdef void _collect(dict group, str name, list found)
cdef dict _with(dict values, str key, object value)

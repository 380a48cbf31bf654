cimport cython
from . cimport native

cdef int SUBJECT, ACTION, RESOURCE, CONTEXT
cdef int SUBJECT_PROPERTIES, ACTION_PROPERTIES, RESOURCE_PROPERTIES
cdef int CONTEXT_PROPERTIES, COMPANY
cdef int ITEM, FIELD, ELEMENT, KEY
cdef int VALUE, DEFAULTS
cdef int DISTINCT
cdef int NULL_VALUE, NUMBER, STRING, BOOL, STRUCT, LIST
cdef double INT_LOW, INT_HIGH
cdef list _KNOWN
cdef Py_ssize_t LONGEST_KNOWN
cdef Py_ssize_t FEW

@cython.final
cdef class Names:
    cdef readonly tuple texts
    cdef readonly list blank
    cdef readonly dict numbers
    cdef readonly bint are_few
    cdef readonly list cells

@cython.final
cdef class Wanted:
    cdef readonly Names subject
    cdef readonly Names action
    cdef readonly Names resource
    cdef readonly Names context

@cython.final
@cython.no_gc  # what it holds was read of bytes, and holds nothing that could hold it
@cython.freelist(256)
cdef class Fields:
    cdef readonly str subject
    cdef readonly str action
    cdef readonly str resource
    cdef readonly dict context
    cdef readonly object subject_properties
    cdef readonly object action_properties
    cdef readonly object resource_properties
    cdef readonly object context_properties
    cdef readonly str company_id
    cdef bytes sifted
    cdef Py_ssize_t place
    cdef void fill(self, Fields defaults)

cdef dict _EMPTY

cdef class Reader

@cython.locals(made=Fields)
cdef Fields _fields()

cpdef Fields read_check(bytes data, int depth, Wanted wanted=*)
cpdef list read_batch(bytes data, int depth, Py_ssize_t most)

@cython.locals(reader=Reader)
cpdef object is_distinct(bytes data)

@cython.final
cdef class Former:
    cdef Py_ssize_t start
    cdef Py_ssize_t length
    cdef object made

@cython.final
cdef class Reader:
    cdef bytes data
    cdef Py_ssize_t end
    cdef Py_ssize_t position
    cdef list former
    cdef Wanted wanted
    cdef Py_ssize_t items
    cdef Py_ssize_t defaults
    cdef Py_ssize_t defaults_end
    cdef bint is_distinct

    @cython.locals(tag=int, stop=Py_ssize_t)
    cdef int outline(self, Py_ssize_t most) except -1
    @cython.locals(tag=int, stop=Py_ssize_t)
    cdef Py_ssize_t next_item(self) except -2
    @cython.locals(position=Py_ssize_t)
    cdef Fields default_fields(self, int depth)
    @cython.locals(found=list, stop=Py_ssize_t, defaults=Fields)
    cdef list batch(self, int depth, Py_ssize_t most)
    @cython.locals(made=Fields)
    cdef Fields item(self, Py_ssize_t end, int depth, Fields defaults)
    @cython.locals(made=Fields, seen=int, tag=int)
    cdef Fields check(self, Py_ssize_t end, int depth)
    @cython.locals(stop=Py_ssize_t, key=str)
    cdef int context_entry(self, dict into, Py_ssize_t end) except -1
    @cython.locals(end=Py_ssize_t, start=Py_ssize_t, former=Former)
    cdef object properties(self, int tag, Py_ssize_t within, int depth, Names wanted)
    cdef object read(self, Py_ssize_t end, int depth, Names wanted)
    @cython.locals(made=dict, stop=Py_ssize_t, key=str, former=str, is_sorted=bint)
    cdef dict struct(self, Py_ssize_t end, int depth, Names wanted)
    @cython.locals(stop=Py_ssize_t, number=Py_ssize_t)
    cdef list values(self, Py_ssize_t end, int depth, list made, Names wanted)
    @cython.locals(start=Py_ssize_t, stop=Py_ssize_t, found=Py_ssize_t)
    cdef Py_ssize_t number(self, Py_ssize_t end, Names wanted) except -2
    cdef Py_ssize_t entry(self, Py_ssize_t end) except -1
    @cython.locals(kind=int, inner=Py_ssize_t, stop=Py_ssize_t)
    cdef int skip(self, Py_ssize_t end, int depth) except -1
    @cython.locals(start=Py_ssize_t, stop=Py_ssize_t)
    cdef int skip_text(self, Py_ssize_t end) except -1
    @cython.locals(key=str)
    cdef str key(self, Py_ssize_t end)
    @cython.locals(kind=int, bit=int, number=double)
    cdef object value(self, Py_ssize_t end, int depth)
    @cython.locals(made=list)
    cdef list elements(self, Py_ssize_t end, int depth)
    @cython.locals(
        start=Py_ssize_t, stop=Py_ssize_t, place=Py_ssize_t, known=str, found=str
    )
    cdef str text(self, Py_ssize_t end)
    @cython.locals(length=Py_ssize_t)
    cdef Py_ssize_t stop(self, Py_ssize_t end) except -1
    @cython.locals(shift=int, byte=int)
    cdef Py_ssize_t rest(self, Py_ssize_t low) except -1
    @cython.locals(found=int)
    cdef int bit(self) except -1
    @cython.locals(byte=int)
    cdef int byte(self) except -1

cimport cython
from .access cimport EntityValue
from .activation cimport Activation
from .cells cimport Group
from .rows cimport RuleRow, merged
from .rules cimport RuleIndex, View
from .times cimport timestamp_of

@cython.final
@cython.freelist(8)
cdef class Outcome:
    cdef readonly bint allowed
    cdef readonly RuleRow row
    cdef readonly tuple reasons
    cdef public object decision
    cdef public bytes reply

@cython.locals(row=RuleRow, unmet=list, shared=dict, found=int)
cpdef Outcome combine(
    tuple rows, Activation activation, Outcome nothing, Py_ssize_t limit, dict decided, dict denied
)
@cython.locals(known=Outcome)
cdef Outcome _decided(RuleRow row, dict decided)

@cython.locals(known=Outcome)
cdef Outcome _denied(tuple key, RuleRow row, object reasons, dict denied)

cdef tuple _ended(RuleRow row)
@cython.locals(made=Outcome)
cdef Outcome _outcome(bint allowed, RuleRow row, tuple reasons)

@cython.locals(made=EntityValue)
cdef EntityValue _value(str kind, str id, object attributes, bint is_action)

@cython.final
cdef class Decider:
    cdef readonly RuleIndex index
    cdef readonly list paths
    cdef readonly Py_ssize_t registers
    cdef readonly Outcome nothing
    cdef readonly Py_ssize_t reasons
    cdef readonly Py_ssize_t name_length
    cdef readonly Py_ssize_t subject_roles
    cdef readonly Py_ssize_t steps
    cdef readonly bint reads_action
    cdef readonly bint reads_now
    cdef Activation spare
    cdef dict decided
    cdef dict denied
    @cython.locals(made=Activation)
    cpdef Activation another(self)
    cpdef object company_of(self, str company)
    @cython.locals(view=View)
    cpdef Outcome decide(self, object request)
    cpdef Outcome decide_by(self, tuple rows, object request)
    cdef Outcome _decide(self, tuple rows, tuple groups, object request)
    @cython.locals(kind=str, id=str, verb=EntityValue, roles=tuple, view=View)
    cpdef Outcome ask(
        self, object subject, object action, object resource, object context, object company,
        object now
    )
    @cython.locals(activation=Activation, roots=list)
    cdef Outcome _combine(
        self, tuple rows, tuple groups, object subject, object resource, EntityValue action,
        object context, object company, object now
    )

@cython.locals(group=Group, found=list)
cpdef tuple with_selected(tuple rows, tuple groups, Activation activation)

@cython.locals(end=Py_ssize_t)
cdef EntityValue entity_of(str text, str separator)
@cython.locals(attributes=dict, entity=EntityValue)
cdef str _kind(object value, str separator, Py_ssize_t longest)
@cython.locals(attributes=dict, entity=EntityValue)
cdef str _id(object value, Py_ssize_t longest)
cpdef tuple roles_of(object found, Py_ssize_t most, Py_ssize_t longest)

cdef Py_ssize_t DENIED
cdef Py_ssize_t ACTION
cdef Py_ssize_t NOW
cdef Py_ssize_t ROOTS
cdef dict _EMPTY
cdef object _NO_COMPANY

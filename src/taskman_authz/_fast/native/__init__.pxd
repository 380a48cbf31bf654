# The compiled twin of `__init__.py`, which says what these are. No reference is taken that nothing
# needs: what runs the caller's code (a look-up may, where a key has an `__eq__` of its own) happens
# while what it reads, and what was found before it, is held.
from cpython.object cimport PyObject

from ..activation cimport Activation
from ..nodes cimport Attribute, TextTest

cdef extern from *:
    """
    #ifndef TASKMAN_AUTHZ_NATIVE
    #define TASKMAN_AUTHZ_NATIVE
    #include <stdint.h>
    #include <string.h>

    /* Texts of one length. The last character first: alike names differ at their ends. */
    static CYTHON_INLINE int taskman_equal(PyObject *left, PyObject *right, Py_ssize_t length) {
        Py_ssize_t bytes = length * PyUnicode_KIND(left);
        const char *one = (const char *)PyUnicode_DATA(left);
        const char *other = (const char *)PyUnicode_DATA(right);
        if (PyUnicode_KIND(left) != PyUnicode_KIND(right)) return 0;
        if (bytes == 0) return 1;
        return one[bytes - 1] == other[bytes - 1] && memcmp(one, other, bytes - 1) == 0;
    }

    static CYTHON_INLINE int taskman_same(PyObject *left, PyObject *right) {
        Py_ssize_t length;
        if (left == right) return 1;
        length = PyUnicode_GET_LENGTH(left);
        return length == PyUnicode_GET_LENGTH(right) && taskman_equal(left, right, length);
    }

    /* `text`, which has this length, is not looked at before it must be: among many conditions it
       is not in the cache. */
    static CYTHON_INLINE int taskman_is(PyObject *value, PyObject *text, Py_ssize_t length) {
        return value == text
            || (PyUnicode_GET_LENGTH(value) == length && taskman_equal(value, text, length));
    }

    /* No code of the caller's runs: the members are only looked at where they are texts. */
    static CYTHON_INLINE int taskman_among(PyObject *members, PyObject *text, Py_ssize_t length) {
        Py_ssize_t number, count = PyList_GET_SIZE(members);
        for (number = 0; number < count; number++) {
            PyObject *member = PyList_GET_ITEM(members, number);
            if (!PyUnicode_CheckExact(member)) return 2;
            if (taskman_is(member, text, length)) return 1;
        }
        return 0;
    }

    /* INVARIANT: whoever asks has found both places within the bytes. */
    static CYTHON_INLINE int taskman_same_bytes(
        PyObject *data, Py_ssize_t start, Py_ssize_t other, Py_ssize_t length
    ) {
        const char *bytes = PyBytes_AS_STRING(data);
        return memcmp(bytes + start, bytes + other, length) == 0;
    }

    static CYTHON_INLINE Py_ssize_t taskman_place(
        PyObject *data, Py_ssize_t start, Py_ssize_t stop
    ) {
        const unsigned char *bytes = (const unsigned char *)PyBytes_AS_STRING(data);
        return (bytes[start] * 7 + bytes[stop - 1] * 31 + stop - start) & 255;
    }

    static CYTHON_INLINE int taskman_is_spelt(
        PyObject *text, PyObject *data, Py_ssize_t start, Py_ssize_t stop
    ) {
        return PyUnicode_IS_COMPACT_ASCII(text) && PyUnicode_GET_LENGTH(text) == stop - start
            && memcmp(PyUnicode_DATA(text), PyBytes_AS_STRING(data) + start, stop - start) == 0;
    }

    static CYTHON_INLINE Py_ssize_t taskman_find(
        PyObject *data, Py_ssize_t start, Py_ssize_t stop, PyObject *texts
    ) {
        const char *bytes = PyBytes_AS_STRING(data) + start;
        Py_ssize_t number, count = PyTuple_GET_SIZE(texts), length = stop - start;
        for (number = 0; number < count; number++) {
            PyObject *text = PyTuple_GET_ITEM(texts, number);
            if (PyUnicode_GET_LENGTH(text) == length
                && memcmp(PyUnicode_DATA(text), bytes, length) == 0) return number;
        }
        return -1;
    }

    static CYTHON_INLINE int taskman_is_ascii(PyObject *data, Py_ssize_t start, Py_ssize_t stop) {
        const char *at = PyBytes_AS_STRING(data) + start, *end = PyBytes_AS_STRING(data) + stop;
        uint64_t eight;
        signed char rest = 0;
        for (; end - at >= 8; at += 8) {
            memcpy(&eight, at, 8);
            if (eight & 0x8080808080808080ULL) return 0;
        }
        for (; at < end; at++) rest |= (signed char)*at;
        return rest >= 0;
    }

    static CYTHON_INLINE double taskman_double_at(PyObject *data, Py_ssize_t start) {
        const unsigned char *bytes = (const unsigned char *)PyBytes_AS_STRING(data) + start;
        uint64_t number = 0;
        double found;
        int i;
        for (i = 7; i >= 0; i--) number = number << 8 | bytes[i];  /* whatever the machine's order */
        memcpy(&found, &number, 8);
        return found;
    }
    #endif
    """
    bint taskman_same_bytes(
        PyObject *data, Py_ssize_t start, Py_ssize_t other, Py_ssize_t length
    )
    Py_ssize_t taskman_place(PyObject *data, Py_ssize_t start, Py_ssize_t stop)
    Py_ssize_t taskman_find(PyObject *data, Py_ssize_t start, Py_ssize_t stop, PyObject *texts)
    bint taskman_is_ascii(PyObject *data, Py_ssize_t start, Py_ssize_t stop)
    double taskman_double_at(PyObject *data, Py_ssize_t start)
    bint taskman_is_spelt(PyObject *text, PyObject *data, Py_ssize_t start, Py_ssize_t stop)
    bint taskman_same(PyObject *left, PyObject *right)
    bint taskman_is(PyObject *value, PyObject *text, Py_ssize_t length)
    int taskman_among(PyObject *members, PyObject *text, Py_ssize_t length)
    PyObject *PyDict_GetItemWithError(PyObject *members, PyObject *name)
    bint PyDict_CheckExact(PyObject *value)
    PyObject *PyList_GET_ITEM(PyObject *items, Py_ssize_t number)
    Py_ssize_t PyList_GET_SIZE(PyObject *items)
    Py_ssize_t PyUnicode_GET_LENGTH(PyObject *text)
    bint PyUnicode_CheckExact(PyObject *value)
    bint PyList_CheckExact(PyObject *value)
    PyObject *PyErr_Occurred()
    void Py_DECREF(PyObject *value)
    void Py_INCREF(PyObject *value)
    void Py_XINCREF(PyObject *value)


cdef inline bint same_text(str left, str right) noexcept:
    return taskman_same(<PyObject *>left, <PyObject *>right)


# A new reference; NULL where it does not lie there, or with an exception.
cdef inline PyObject *held(Attribute read, Activation activation) noexcept:
    cdef PyObject *value
    if read.kept:
        value = PyList_GET_ITEM(<PyObject *>activation.slots, read.slot)
        Py_INCREF(value)
        return value
    if read.depth != 1 or activation.variables is None:
        return NULL
    if read.root != activation.near:
        value = PyDict_GetItemWithError(<PyObject *>activation.variables, <PyObject *>read.name)
        if value == NULL or not PyDict_CheckExact(value):
            return NULL
        activation.holder = <object>value
        activation.near = read.root
    value = PyDict_GetItemWithError(<PyObject *>activation.holder, <PyObject *>read.member)
    Py_XINCREF(value)
    return value


cdef inline PyObject *tested(TextTest node, Activation activation) noexcept:
    cdef PyObject *value
    if node.slot >= 0:
        value = PyList_GET_ITEM(<PyObject *>activation.slots, node.slot)
        Py_INCREF(value)
        return value
    return held(node.read, activation)


cdef inline int is_text(TextTest node, Activation activation) except -1:
    cdef int found = 2
    cdef PyObject *value
    if node.read is None:
        return 2
    value = tested(node, activation)
    if value == NULL:
        return -1 if PyErr_Occurred() != NULL else 2
    if PyUnicode_CheckExact(value):
        found = taskman_is(value, <PyObject *>node.text, node.size)
    Py_DECREF(value)
    return found


cdef inline int are_same(Attribute read, Attribute other, Activation activation) except -1:
    if other.root == activation.near:  # then this one first: it need not be looked up again
        return compared(other, read, activation, True)
    return compared(read, other, activation, False)


cdef inline int compared(
    Attribute read, Attribute other, Activation activation, bint turned
) except -1:
    cdef int found = 2
    cdef PyObject *right
    cdef PyObject *left = held(read, activation)
    if left == NULL:
        return -1 if PyErr_Occurred() != NULL else 2
    if PyUnicode_CheckExact(left):
        right = held(other, activation)
        if right == NULL:
            found = -1 if PyErr_Occurred() != NULL else 2
        else:
            if PyUnicode_CheckExact(right):
                activation.steps -= PyUnicode_GET_LENGTH(right if turned else left) >> 6
                found = taskman_same(left, right)
            Py_DECREF(right)
    Py_DECREF(left)
    return found


cdef inline int has_text(TextTest node, Activation activation) except -1:
    cdef int found = 2
    cdef Py_ssize_t steps
    cdef PyObject *value
    if node.read is None:
        return 2
    value = tested(node, activation)
    if value == NULL:
        return -1 if PyErr_Occurred() != NULL else 2
    if PyList_CheckExact(value):
        steps = PyList_GET_SIZE(value) * (1 + (node.size >> 6))
        if steps <= activation.steps:
            found = taskman_among(value, <PyObject *>node.text, node.size)
            if found != 2:
                activation.steps -= steps
    Py_DECREF(value)
    return found


cdef inline bint same_bytes(
    bytes data, Py_ssize_t start, Py_ssize_t other, Py_ssize_t length
) noexcept:
    return taskman_same_bytes(<PyObject *>data, start, other, length)


cdef inline Py_ssize_t place(bytes data, Py_ssize_t start, Py_ssize_t stop) noexcept:
    return taskman_place(<PyObject *>data, start, stop)


cdef inline bint is_spelt(str text, bytes data, Py_ssize_t start, Py_ssize_t stop) noexcept:
    return taskman_is_spelt(<PyObject *>text, <PyObject *>data, start, stop)


cdef inline bint is_ascii(bytes data, Py_ssize_t start, Py_ssize_t stop) noexcept:
    return taskman_is_ascii(<PyObject *>data, start, stop)


cdef inline double double_at(bytes data, Py_ssize_t start) noexcept:
    return taskman_double_at(<PyObject *>data, start)


cdef inline Py_ssize_t find(
    bytes data, Py_ssize_t start, Py_ssize_t stop, tuple texts
) noexcept:
    return taskman_find(<PyObject *>data, start, stop, <PyObject *>texts)


cdef inline object identity(object value):
    return <size_t>(<PyObject *>value)

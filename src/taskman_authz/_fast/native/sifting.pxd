# The compiled twin of `sifting.py`, which says what this is.
from cpython.object cimport PyObject

cdef extern from *:
    """
    #ifndef TASKMAN_AUTHZ_SIFTING
    #define TASKMAN_AUTHZ_SIFTING
    #include <stdint.h>
    #include <string.h>

    #define TASKMAN_KEPT 512
    #define TASKMAN_NEAR_BITS 10

    typedef const unsigned char *taskman_at;
    typedef struct { int64_t size; unsigned char bytes[TASKMAN_KEPT]; } taskman_kept;

    /* How long what begins here is, `at` moved to its first byte; -1: it is not all there. */
    static CYTHON_INLINE Py_ssize_t taskman_span(taskman_at *at, taskman_at stop) {
        taskman_at byte = *at;
        Py_ssize_t length;
        int shift = 7;
        if (byte >= stop) return -1;
        length = *byte & 127;
        while (*byte++ > 127) {
            if (byte >= stop || shift == 28) return -1;
            length |= (Py_ssize_t)(*byte & 127) << shift;
            shift += 7;
        }
        *at = byte;
        return length <= stop - byte ? length : -1;
    }

    static CYTHON_INLINE int taskman_keep(taskman_kept *kept, taskman_at start, Py_ssize_t size) {
        if (size > TASKMAN_KEPT - kept->size) return 0;
        memcpy(kept->bytes + kept->size, start, size);
        kept->size += size;
        return 1;
    }

    /* The eight bytes that end here, of which the last `count` count: the others are 0.
       INVARIANT: there are eight, since there are others before the first of a bytes object's, and
       of what is kept. */
    static CYTHON_INLINE uint64_t taskman_last(const unsigned char *end, Py_ssize_t count) {
        uint64_t eight;
        memcpy(&eight, end - 8, 8);
        if (count >= 8) return eight;
        return count == 0 ? 0 : PY_BIG_ENDIAN ? eight << (64 - 8 * count) : eight >> (64 - 8 * count);
    }

    static CYTHON_INLINE int taskman_is_utf8(taskman_at start, Py_ssize_t length) {
        Py_ssize_t number = 8;
        uint64_t eight, all = taskman_last(start + length, length);
        PyObject *text;
        for (; number <= length; number += 8) {
            memcpy(&eight, start + number - 8, 8);
            all |= eight;
        }
        if (!(all & UINT64_C(0x8080808080808080))) return 1;
        text = PyUnicode_DecodeUTF8((const char *)start, length, NULL);
        if (text == NULL) PyErr_Clear();  /* whoever reads the message finds it again */
        Py_XDECREF(text);
        return text != NULL;
    }

    static int taskman_is_value(taskman_at at, taskman_at stop, int depth);

    static CYTHON_INLINE int taskman_is_entry_value(taskman_at at, taskman_at stop, int depth) {
        Py_ssize_t length;
        if (at >= stop || *at++ != 0x12) return 0;
        length = taskman_span(&at, stop);
        return length == stop - at && taskman_is_value(at, stop, depth);
    }

    /* INVARIANT: no deeper than `depth`, which is 32 at most. */
    static int taskman_is_value(taskman_at at, taskman_at stop, int depth) {
        Py_ssize_t length;
        taskman_at end;
        int kind;
        if (at >= stop) return 0;
        kind = *at++;
        if (kind == 0x11) return stop - at == 8;
        if (kind == 0x20) return stop - at == 1 && *at <= 1;
        if (kind == 0x08) return stop - at == 1 && *at == 0;
        length = taskman_span(&at, stop);
        if (length != stop - at) return 0;
        if (kind == 0x1A) return taskman_is_utf8(at, length);
        if ((kind != 0x2A && kind != 0x32) || depth <= 1) return 0;
        while (at < stop) {
            if (*at++ != 0x0A || (length = taskman_span(&at, stop)) < 0) return 0;
            end = at + length;
            if (kind == 0x32) {
                if (!taskman_is_value(at, end, depth - 1)) return 0;
            } else {
                if (at >= end || *at++ != 0x0A || (length = taskman_span(&at, end)) < 0) return 0;
                if (!taskman_is_utf8(at, length)) return 0;
                if (!taskman_is_entry_value(at + length, end, depth - 1)) return 0;
            }
            at = end;
        }
        return 1;
    }

    static CYTHON_INLINE int taskman_is_kept(PyObject *cells, taskman_at key, Py_ssize_t length) {
        Py_ssize_t number, place = 0;
        PyObject *names;
        if (length) place = (key[0] * 7 + key[length - 1] * 31 + length) & 255;
        names = PyList_GET_ITEM(cells, place);
        if (names == Py_None) return 0;
        for (number = 0; number < PyTuple_GET_SIZE(names); number++) {
            PyObject *name = PyTuple_GET_ITEM(names, number);
            if (PyBytes_GET_SIZE(name) == length
                && memcmp(PyBytes_AS_STRING(name), key, length) == 0) return 1;
        }
        return 0;
    }

    static CYTHON_INLINE int taskman_properties(
        taskman_kept *kept, taskman_at at, taskman_at stop, PyObject *cells, int depth
    ) {
        while (at < stop) {
            taskman_at start = at, end;
            Py_ssize_t length;
            if (*at++ != 0x0A || (length = taskman_span(&at, stop)) < 0) return 0;
            end = at + length;
            if (at >= end || *at++ != 0x0A || (length = taskman_span(&at, end)) < 0) return 0;
            if (taskman_is_kept(cells, at, length)) {
                if (!taskman_keep(kept, start, end - start)) return 0;
            } else if (
                !taskman_is_utf8(at, length) || !taskman_is_entry_value(at + length, end, depth)
            ) return 0;
            at = end;
        }
        return 1;
    }

    /* Which of the places near it has. The words are multiplied one beside another, not one after
       another; the top of a product depends on all of a word. Whoever makes two share a place makes
       them slower, and no more. */
    static CYTHON_INLINE Py_ssize_t taskman_near(const unsigned char *bytes, Py_ssize_t size) {
        uint64_t sum = size, word, factor = UINT64_C(0x9E3779B97F4A7C15);
        Py_ssize_t at = 0;
        for (; at + 8 <= size; at += 8) {
            memcpy(&word, bytes + at, 8);
            sum += (word ^ word >> 32) * factor;
            factor += UINT64_C(0xD1B54A32D192ED02);  /* even: a factor is odd */
        }
        word = taskman_last(bytes + size, size - at);
        sum += (word ^ word >> 32) * factor;
        return (sum >> (64 - TASKMAN_NEAR_BITS)) * 3;
    }

    /* A new reference to what is near, or NULL. */
    static CYTHON_INLINE PyObject *taskman_look(
        PyObject *near, PyObject *known, const taskman_kept *kept
    ) {
        Py_ssize_t place = taskman_near(kept->bytes, kept->size);
        PyObject *key, *found;
        if (known == Py_None || PyList_GET_ITEM(near, place) != known) return NULL;
        key = PyList_GET_ITEM(near, place + 1);
        if (PyBytes_GET_SIZE(key) != kept->size
            || memcmp(PyBytes_AS_STRING(key), kept->bytes, kept->size)) return NULL;
        found = PyList_GET_ITEM(near, place + 2);
        Py_INCREF(found);
        return found;
    }

    /* A new reference to what is near, to bytes or to None; or NULL with an error. */
    static CYTHON_INLINE PyObject *taskman_sift(
        PyObject *near, PyObject *known, PyObject *data, Py_ssize_t from, Py_ssize_t to,
        PyObject *cells, int keeps_id, Py_ssize_t longest, int depth
    ) {
        taskman_at at = (taskman_at)PyBytes_AS_STRING(data) + from;
        taskman_at stop = (taskman_at)PyBytes_AS_STRING(data) + to;
        const unsigned char end_of_properties = 0;
        taskman_kept kept;
        PyObject *found;
        kept.size = 0;
        while (at < stop) {
            taskman_at start = at, end, id;
            int tag = *at++;
            Py_ssize_t length = taskman_span(&at, stop);
            PyObject *names = Py_None;
            if ((tag & 7) != 2 || tag <= 8 || tag > 0x4A || length < 0) Py_RETURN_NONE;
            end = at + length;
            if (tag >= 0x2A && tag <= 0x42) names = PyTuple_GET_ITEM(cells, (tag - 0x2A) >> 3);
            if (names != Py_None) {
                if (!taskman_keep(&kept, start, 1)
                    || !taskman_properties(&kept, at, end, names, depth)
                    || !taskman_keep(&kept, &end_of_properties, 1)) Py_RETURN_NONE;
            } else if (tag == 0x1A && !keeps_id) {
                id = (taskman_at)memchr(at, '/', length);
                if (id == NULL) Py_RETURN_NONE;
                id++;
                if (id == end || end - id > longest || !taskman_is_utf8(id, end - id)
                    || !taskman_keep(&kept, start, 1) || !taskman_keep(&kept, at, id - at))
                    Py_RETURN_NONE;
            } else if (!taskman_keep(&kept, start, end - start)) Py_RETURN_NONE;
            at = end;
        }
        found = taskman_look(near, known, &kept);
        if (found != NULL) return found;
        return PyBytes_FromStringAndSize((const char *)kept.bytes, kept.size);
    }
    #endif
    """
    enum: NEAR_BITS "TASKMAN_NEAR_BITS"
    Py_ssize_t taskman_near(const unsigned char *bytes, Py_ssize_t size)
    object taskman_sift(
        PyObject *near, PyObject *known, PyObject *data, Py_ssize_t start, Py_ssize_t stop,
        PyObject *cells, bint keeps_id, Py_ssize_t longest, int depth
    )


# INVARIANT: `near` is of `new_near`, `start` and `stop` are within the bytes, and each of the cells is
# None or a list of 256.
cdef inline object sift(
    list near, dict known, bytes data, Py_ssize_t start, Py_ssize_t stop, tuple cells,
    bint keeps_id, Py_ssize_t longest, int depth
):
    return taskman_sift(
        <PyObject *>near, <PyObject *>known, <PyObject *>data, start, stop, <PyObject *>cells,
        keeps_id, longest, depth
    )


cdef inline list new_near():
    return [None] * (3 << NEAR_BITS)


cdef inline int put(list near, dict known, bytes kept, object answer) except -1:
    cdef Py_ssize_t place = taskman_near(<const unsigned char *>kept, len(kept))
    near[place] = known
    near[place + 1] = kept
    near[place + 2] = answer
    return 0

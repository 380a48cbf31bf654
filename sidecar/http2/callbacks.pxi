"""Callbacks of the library: each tells a connection, and what Python raises is fatal. Part of
`session.pyx`."""


cdef inline Exchange find(nghttp2_session *session, int32_t stream):
    cdef void *found = nghttp2_session_get_stream_user_data(session, stream)
    return <Exchange> found if found != NULL else None


cdef int on_begin_frame(
    nghttp2_session *session, const nghttp2_frame_hd *head, void *me
) noexcept:
    try:
        (<Connection> me).spend(head)
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return NGHTTP2_ERR_CALLBACK_FAILURE if (<Connection> me).flooding else 0


cdef int on_begin_headers(
    nghttp2_session *session, const nghttp2_frame *frame, void *me
) noexcept:
    try:
        if find(session, frame.hd.stream_id) is None:  # else these are trailers
            (<Connection> me).begin(frame.hd.stream_id)
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return 0


cdef int on_header(
    nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t length,
    const uint8_t *value, size_t size, uint8_t flags, void *me,
) noexcept:
    try:
        exchange = find(session, frame.hd.stream_id)
        if exchange is not None and not exchange.admitted:
            (<Connection> me).header(exchange, <char *> name, length, <char *> value, size)
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return 0


cdef int on_data(
    nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t count,
    void *me,
) noexcept:
    try:
        exchange = find(session, stream)
        if exchange is not None:
            (<Connection> me).take(exchange, data, count)
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return 0


cdef int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *me) noexcept:
    cdef Connection connection = <Connection> me
    try:
        if frame.hd.type == NGHTTP2_HEADERS or frame.hd.type == NGHTTP2_DATA:
            exchange = find(session, frame.hd.stream_id)
            if exchange is None:
                return 0
            if not exchange.admitted:
                connection.admit(exchange)
            if frame.hd.flags & NGHTTP2_FLAG_END_STREAM:
                connection.finish(exchange)
        elif frame.hd.type == NGHTTP2_SETTINGS:
            connection.greeted = True
        elif frame.hd.type == NGHTTP2_PING and not frame.hd.flags & NGHTTP2_FLAG_ACK:
            connection.ping()
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return 0


cdef int on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *me) noexcept:
    try:
        exchange = find(session, stream)
        if exchange is not None:
            # INVARIANT: from here on the library's pointer to it is not followed.
            nghttp2_session_set_stream_user_data(session, stream, NULL)
            (<Connection> me).forget(exchange)
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return 0


cdef ssize_t on_read(
    nghttp2_session *session, int32_t stream, uint8_t *into, size_t room, uint32_t *flags,
    nghttp2_data_source *source, void *me,
) noexcept:
    """Give the library as much of an answer as it has room for."""
    cdef Exchange exchange = <Exchange> source.ptr
    cdef Connection connection = <Connection> me
    cdef nghttp2_nv trailers[5 + MORE]
    cdef size_t count = 0
    cdef Py_ssize_t used = 0, part
    try:
        connection.strikes, connection.last_ping = 0, -1
        if exchange.out is not None:
            if exchange.taken < PREFIX:
                used = min(PREFIX - exchange.taken, <Py_ssize_t> room)
                memcpy(into, &exchange.out_prefix[exchange.taken], used)
                exchange.taken += used
            part = PyBytes_GET_SIZE(exchange.out) + PREFIX - exchange.taken
            part = min(part, <Py_ssize_t> room - used)
            if part > 0:
                memcpy(into + used, PyBytes_AS_STRING(exchange.out) + exchange.taken - PREFIX, part)
                exchange.taken, used = exchange.taken + part, used + part
            if exchange.taken < PyBytes_GET_SIZE(exchange.out) + PREFIX:
                return used
            connection.hold(exchange, -PyBytes_GET_SIZE(exchange.out))
            exchange.out = None
            if not exchange.over:
                connection.done.append(exchange)
        if exchange.over:
            flags[0] |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM
            held = connection.told(exchange, trailers, &count)
            if nghttp2_submit_trailer(session, stream, trailers, count):
                return NGHTTP2_ERR_CALLBACK_FAILURE
        elif not used:
            return NGHTTP2_ERR_DEFERRED
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return used

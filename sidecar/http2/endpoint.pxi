"""What connections share. Part of `session.pyx`."""


cdef class Endpoint:
    """What the connections of a server share: who answers, where, and within which bounds.

    `routes` has what each path (bytes) leads to. Of `answering`, whose functions do not raise,
    `answer(connection, exchange)` is called for a whole request that cannot be answered at once and
    as it is, `end(connection, exchange, answer)` for an answer that is none, longer than
    `plain_bytes`, or of another form. `identify(transport)` names who is at the other end,
    `tell(event)` is told what an operator may want to know. `now` is the clock of `look`;
    `on_empty` is called without arguments when the last connection has gone.
    """

    cdef nghttp2_session_callbacks *callbacks
    cdef nghttp2_option *option
    cdef readonly dict routes
    cdef readonly object answer, end, identify, tell
    cdef readonly set connections
    cdef readonly Py_ssize_t calls  # that have begun and not ended
    cdef readonly Py_ssize_t held  # bytes that are kept for all of them
    cdef public object on_empty
    cdef readonly bint draining
    cdef double now
    cdef Py_ssize_t plain_bytes, message_bytes, header_bytes, held_bytes, all_held_bytes, max_calls, max_connections
    cdef uint32_t streams
    cdef double credit, credit_rate, credit_call  # of frames that ask nothing
    cdef double ping_interval, patience, keepalive, keepalive_timeout, max_age, max_age_grace

    def __cinit__(self):
        if nghttp2_session_callbacks_new(&self.callbacks) or nghttp2_option_new(&self.option):
            raise MemoryError
        nghttp2_session_callbacks_set_on_begin_frame_callback(self.callbacks, on_begin_frame)
        nghttp2_session_callbacks_set_on_begin_headers_callback(self.callbacks, on_begin_headers)
        nghttp2_session_callbacks_set_on_header_callback(self.callbacks, on_header)
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(self.callbacks, on_data)
        nghttp2_session_callbacks_set_on_frame_recv_callback(self.callbacks, on_frame)
        nghttp2_session_callbacks_set_on_stream_close_callback(self.callbacks, on_close)
        nghttp2_option_set_no_closed_streams(self.option, 1)
        nghttp2_option_set_max_outbound_ack(self.option, ACKS)
        nghttp2_option_set_max_settings(self.option, SETTINGS)
        nghttp2_option_set_max_continuations(self.option, CONTINUATIONS)

    def __init__(self, dict routes, answering, identify, tell, bounds):
        nghttp2_option_set_stream_reset_rate_limit(self.option, bounds.resets, bounds.resets_rate)
        self.credit, self.credit_rate = bounds.idle_frames, bounds.idle_frames_rate
        self.credit_call = bounds.idle_frames_call
        self.routes, self.identify, self.tell = routes, identify, tell
        self.answer, self.end = answering.answer, answering.end
        self.plain_bytes = answering.plain_bytes
        self.connections, self.now = set(), clock()
        self.message_bytes, self.header_bytes = bounds.message_bytes, bounds.header_bytes
        self.held_bytes, self.all_held_bytes = bounds.held_bytes, bounds.all_held_bytes
        self.streams = bounds.streams
        self.max_calls, self.max_connections = bounds.calls, bounds.connections
        self.ping_interval, self.patience = bounds.ping_interval, bounds.patience
        self.keepalive, self.keepalive_timeout = bounds.keepalive, bounds.keepalive_timeout
        self.max_age, self.max_age_grace = bounds.max_age, bounds.max_age_grace

    def __dealloc__(self):
        # INVARIANT: every connection holds its endpoint, so no session outlives these.
        nghttp2_session_callbacks_del(self.callbacks)
        nghttp2_option_del(self.option)

    cdef leave(self, connection):
        self.connections.discard(connection)
        if not self.connections and self.on_empty is not None:
            self.on_empty()

    def drain(self):
        """Take no new calls on any connection."""
        self.draining = True
        for connection in list(self.connections):
            (<Connection> connection).drain()

    def abort(self):
        """Close all connections at once."""
        for connection in list(self.connections):
            (<Connection> connection).abort()

    def look(self):
        """To be called now and then: closes what is late, old, or not alive."""
        self.now = clock()
        for connection in list(self.connections):
            (<Connection> connection).look(self.now)

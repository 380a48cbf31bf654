"""What is told to people and to other systems: e-mail, webhooks, and web push.

A notification is a row, written in the transaction of the event or call that asks for it; `sending`
sends what is pending, and again later where that fails. Begin with `api` (who may send what),
`reactions` (what events become) and `letters` (what is sent).
"""

#!/usr/bin/env python3
"""coordinator.py PORT: a little broker with transactions (AMQP 1.0 part 4), which no broker that can be installed here
has: Proton's engine and codec, one queue for all addresses. Says on standard output what is declared and discharged.
What its user sends it: a body "refuse" is rejected, "doom" makes it roll back what is to be committed, "vanish" takes the
coordinator away."""
import sys
from collections import deque
from proton import Condition, Described, Endpoint, Message, Terminus, ulong
from proton.handlers import MessagingHandler
from proton.reactor import Container

ACCEPTED, REJECTED, DECLARED, TRANSACTIONAL = 0x24, 0x25, 0x33, 0x34


def say(*words):
    print(*words, flush=True)


class Transaction:
    def __init__(self):
        self.sent, self.taken, self.doomed = [], [], False


class Coordinator(MessagingHandler):
    def __init__(self, port):
        super().__init__(prefetch=50, auto_accept=False, auto_settle=False)
        self.port, self.queue, self.transactions, self.next = port, deque(), {}, 0
        self.receivers, self.out = [], {}

    def on_start(self, event):
        event.container.listen(f"127.0.0.1:{self.port}")
        say("listening")

    def on_link_opening(self, event):
        link = event.link
        if link.is_sender:
            link.source.address = link.remote_source.address
            self.receivers.append(link)
        elif link.remote_target.type == Terminus.COORDINATOR:
            link.target.type = Terminus.COORDINATOR
            link.target.capabilities.copy(link.remote_target.capabilities)
        else:
            link.target.address = link.remote_target.address

    def on_sendable(self, event):
        self.serve()

    def serve(self):
        for link in self.receivers:
            while link.credit and self.queue and not link.state & Endpoint.REMOTE_CLOSED:
                body = self.queue.popleft()
                self.out[link.send(Message(body=body))] = body

    def on_message(self, event):
        delivery, link = event.delivery, event.receiver
        if link.remote_target.type == Terminus.COORDINATOR:
            return self.control(delivery, event.message.body, link)
        body = event.message.body
        if delivery.remote_state != TRANSACTIONAL:
            self.queue.append(body)
            delivery.update(ACCEPTED)
        else:
            name = bytes(delivery.remote.data[0])
            work = self.transactions[name]
            text = bytes(body) if isinstance(body, (bytes, memoryview)) else b""
            outcome = Described(ulong(ACCEPTED), [])
            if text == b"refuse":
                outcome = Described(ulong(REJECTED), [])
            elif text == b"vanish":
                self.controller.condition = Condition("amqp:transaction:timeout", "it took too long")
                self.controller.close()
            else:
                work.sent.append(body)
                work.doomed |= text == b"doom"
            delivery.local.data = [name, outcome]
            delivery.update(TRANSACTIONAL)
        delivery.settle()
        self.serve()

    def control(self, delivery, request, link):
        self.controller = link
        if request.descriptor in (0x31, "amqp:declare:list"):
            self.next += 1
            name = b"txn-%d" % self.next
            self.transactions[name] = Transaction()
            say("declare", self.next)
            delivery.local.data = [name]
            delivery.update(DECLARED)
        else:
            name, fail = bytes(request.value[0]), len(request.value) > 1 and request.value[1]
            work = self.transactions.pop(name)
            number = name.decode().removeprefix("txn-")
            if fail or work.doomed:
                self.queue.extendleft(reversed(work.taken))
            else:
                self.queue.extend(work.sent)
            say("rollback" if fail or work.doomed else "commit", number, len(work.sent), len(work.taken))
            if work.doomed and not fail:
                delivery.local.condition = Condition("amqp:transaction:rollback", "doomed")
                delivery.update(REJECTED)
            else:
                delivery.update(ACCEPTED)
        delivery.settle()
        self.serve()

    def on_delivery(self, event):
        delivery = event.delivery
        if event.link.is_sender and delivery.updated and delivery in self.out:
            body = self.out.pop(delivery)
            if delivery.remote_state == TRANSACTIONAL:
                name, outcome = delivery.remote.data
                if int(outcome.descriptor) == ACCEPTED:
                    self.transactions[bytes(name)].taken.append(body)
                else:
                    self.queue.appendleft(body)
            elif delivery.remote_state not in (ACCEPTED, REJECTED):
                self.queue.appendleft(body)
            delivery.settle()

    def on_link_closing(self, event):
        if event.link in self.receivers:
            self.receivers.remove(event.link)
            for delivery in [d for d in self.out if d.link == event.link]:
                self.queue.appendleft(self.out.pop(delivery))

    def on_disconnected(self, event):
        self.receivers = [link for link in self.receivers if link.connection != event.connection]
        for delivery in list(self.out):
            self.queue.appendleft(self.out.pop(delivery))
        say("left with", len(self.queue))


Container(Coordinator(int(sys.argv[1]))).run()

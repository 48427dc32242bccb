"""azure.py PORT POLICY KEY [STATUS-KEY]: what Azure Service Bus does about tokens, and no more: a link is refused until a
shared access signature for its address was put to $cbs, is signed with KEY and has not expired. What is sent is kept, and
handed to whoever receives from there. Says "listening", then a line for each token."""

import base64
import hashlib
import hmac
import sys
import time
import urllib.parse

from proton import Condition, Message
from proton.handlers import MessagingHandler
from proton.reactor import Container

port, policy, key = sys.argv[1:4]
status_key = sys.argv[4] if len(sys.argv) > 4 else "status-code"


class Refusal:
    def __init__(self, link):
        self.link = link

    def on_timer_task(self, event):
        self.link.condition = Condition("amqp:unauthorized-access", "Unauthorized access. 'Send' claim(s) are required")
        self.link.close()


class Azure(MessagingHandler):
    def __init__(self):
        super().__init__(auto_accept=False, auto_settle=True, prefetch=0)
        self.tokens = {}
        self.messages = {}
        self.answers = {}

    def on_start(self, event):
        event.container.listen("127.0.0.1:" + port)
        print("listening", flush=True)

    def on_link_opening(self, event):
        link = event.link
        address = (link.remote_source if link.is_sender else link.remote_target).address
        link.source.address = link.remote_source.address
        link.target.address = link.remote_target.address
        if address == "$cbs":
            if link.is_sender:
                self.answers[event.connection] = link
            else:
                link.flow(10)
        elif self.tokens.get(urllib.parse.urlparse("amqp://x/" + address).path, 0) < time.time():
            # Proton answers the attach first, whatever is done here.
            event.container.schedule(0, Refusal(link))
        elif not link.is_sender:
            link.flow(100)

    def on_sendable(self, event):
        queue = self.messages.get(event.link.source.address, [])
        while queue and event.link.credit:
            event.link.send(queue.pop(0))

    def on_message(self, event):
        address = event.link.target.address
        if address != "$cbs":
            self.messages.setdefault(address, []).append(event.message)
            self.accept(event.delivery)
            return
        self.accept(event.delivery)
        status, words = self.put(event.message)
        print(status, words, flush=True)
        answer = Message(correlation_id=event.message.id, properties={status_key: status, "status-description": words})
        self.answers[event.connection].send(answer)
        event.link.flow(1)

    def put(self, message):
        properties = message.properties
        if properties.get("operation") != "put-token" or message.reply_to is None:
            return 400, "BadRequest"
        if properties.get("type") != "servicebus.windows.net:sastoken":
            return 400, "UnsupportedTokenType"
        scheme, _, fields = message.body.partition(" ")
        fields = dict(pair.split("=", 1) for pair in fields.split("&"))
        expected = base64.b64encode(
            hmac.new(key.encode(), (fields["sr"] + "\n" + fields["se"]).encode(), hashlib.sha256).digest()
        ).decode()
        resource = urllib.parse.unquote(fields["sr"])
        if scheme != "SharedAccessSignature" or urllib.parse.unquote(fields["skn"]) != policy:
            return 401, "UnknownPolicy"
        if urllib.parse.unquote(fields["sig"]) != expected:
            return 401, "InvalidSignature: The token has an invalid signature."
        if int(fields["se"]) < time.time():
            return 401, "ExpiredToken: The token is expired."
        if resource != properties["name"]:
            return 401, "InvalidAudience"
        path = urllib.parse.urlparse(resource).path
        if path == "/missing":
            return 404, "The messaging entity could not be found."
        self.tokens[path] = int(fields["se"])
        return 202, "Accepted " + path


try:
    Container(Azure()).run()
except KeyboardInterrupt:
    pass

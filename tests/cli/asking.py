"""What a page does, in Python: requests to the laboratory's server, and its stream of events."""

import contextlib
import http.client
import json


def ask(server, method="GET", path="/", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with contextlib.closing(connection):
        connection.putrequest(method, path, skip_host=True)
        headers = {"Host": f"127.0.0.1:{server.port}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        for name, value in headers.items():
            for one in value if isinstance(value, list) else [value]:
                connection.putheader(name, one)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())


def post(server, words, **headers):
    body = words if isinstance(words, bytes) else json.dumps(words).encode()
    headers = {"Origin": f"http://127.0.0.1:{server.port}", "Content_Type": "application/json"} | headers
    return ask(server, "POST", "/do", body, **{k: v for k, v in headers.items() if v is not None})


class Stream:
    """A page's stream of events."""

    def __init__(self, server, **headers):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        self.connection.request("GET", "/events", headers=headers)
        self.answer = self.connection.getresponse()

    def event(self):
        """The next event: (name, data)."""
        lines = []
        while line := self.answer.fp.readline().decode():
            if line == "\n" and lines and lines[0].startswith("event"):
                return lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))
            lines = lines + [line.strip()] if line.strip() else []
        return None

    def close(self):
        self.answer.close()
        self.connection.close()

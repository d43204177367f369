"""What the scenarios of the HTTP side share: a stack with the API, and wamd-load post on it."""
import json
import os
import subprocess

from benchlib.proc import cpu_us
from benchlib.stack import Stack

SECRET = "the-secret"


class Api(Stack):
    """A stack that serves the API and takes the webhooks of one app"""

    def __init__(self, directory, *args, **more):
        os.makedirs(directory, exist_ok=True)
        self.secret = directory + "/bench.secret"
        with open(os.open(self.secret, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
            f.write(SECRET + "\n")
        super().__init__(directory, "--api", "--set", f'webhook.apps=["main={self.secret}"]', *args, **more)

    @property
    def webhook_url(self):
        return self.env["API_URL"] + "/webhooks/whatsapp/main"

    def process(self, role):
        return self.pids(role)[0]

    def wait_api(self):
        self.wait("the API is ready", lambda: any(p["role"] == "api" and p["gauges"]["ready"] for p in self.status()["processes"]))

    def post(self, url, lines, *args):
        """What wamd-load post says of these bodies, with the CPU of all who had to do with them"""
        path = self.dir + "/post.ndjson"
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(line + "\n" for line in lines)
        pids = {**self.others(self.sandbox), "api": [self.process("api")]}
        before = {name: cpu_us(p) for name, p in pids.items()}
        done = subprocess.run(**self.load_command("post", "--to", url, "--lines", path, *args), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        if not done.stdout:
            raise SystemExit(f"t/bench: wamd-load post ended with {done.returncode}: {done.stderr.decode()}")
        found = json.loads(done.stdout)
        found["cpu_us"] = {name: cpu_us(p) - before[name] for name, p in pids.items()}
        return found

    def all_good(self, found):
        if found["good"] != found["requests"]:
            raise SystemExit(f"t/bench: {found['requests'] - found['good']} of {found['requests']} requests were not taken")
        return found

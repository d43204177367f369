"""A headless Chromium for tests, over chromedriver's own protocol: nothing beyond Python's library is needed.

    b = Browser.start(port)      chromedriver, and a browser of its own in it; its facts in the file "browser.json"
    b = Browser.attach()         the same, in a later step of a test
    b.js("return 1 + 1")         in the page;  b.wait("expression", seconds) until it is true
    b.click(CSS) b.type(CSS, text) b.key("Escape")
    b.size(360, 740), b.dark(True), b.shot("name.png")
"""
import base64
import json
import os
import subprocess
import time
import urllib.error
import urllib.request

KEYS = {"Escape": "\ue00c", "Tab": "\ue004", "Enter": "\ue007", "ArrowLeft": "\ue012", "Space": " "}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    def __init__(self, url, session):
        self.url, self.session = url, session

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as e:
            raise AssertionError(json.load(e)["value"]["message"].split("\n")[0]) from None

    def ask(self, method, path, body=None):
        return self.call(method, f"/session/{self.session}{path}", body)

    @classmethod
    def start(cls, port, directory):
        """chromedriver's pid is the caller's to end; the browser goes with it."""
        driver = subprocess.Popen(["chromedriver", f"--port={port}", "--log-level=OFF"], start_new_session=True,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env={**os.environ, "HOME": directory, "TMPDIR": directory})
        with open("browser.json", "w") as out:
            json.dump({"pid": driver.pid, "url": f"http://127.0.0.1:{port}"}, out)
        b = cls(f"http://127.0.0.1:{port}", None)
        deadline = time.time() + 30
        while True:
            try:
                if b.call("GET", "/status")["ready"]:
                    break
            except OSError:
                pass
            assert time.time() < deadline and driver.poll() is None, "chromedriver does not come up"
            time.sleep(.05)
        b.session = b.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "goog:chromeOptions": {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                                            "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
                                            f"--user-data-dir={directory}/profile", "--force-color-profile=srgb"]}}}})["sessionId"]
        with open("browser.json", "w") as out:
            json.dump({"pid": driver.pid, "url": b.url, "session": b.session}, out)
        return b

    @classmethod
    def attach(cls):
        facts = json.load(open("browser.json"))
        return cls(facts["url"], facts["session"])

    def cdp(self, command, **params):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def go(self, url):
        self.ask("POST", "/url", {"url": url})

    def js(self, script, *args):
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(args)})

    def wait(self, expression, seconds=15):
        deadline = time.time() + seconds
        while not self.js(f"return !!({expression})"):
            assert time.time() < deadline, f"in vain: {expression}\n{self.js('return document.body.innerText')[:1500]}"
            time.sleep(.05)

    def text(self, css):
        return self.js("return document.querySelector(arguments[0]).textContent", css)

    def view(self, name, query=""):
        self.js("location.hash = arguments[0]", f"#/{name}" + (f"?{query}" if query else ""))
        self.wait(f"document.querySelector('#main').dataset.view == '{name}'")

    def element(self, css):
        return self.ask("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        self.ask("POST", f"/element/{self.element(css)}/click", {})

    def type(self, css, text):
        element = self.element(css)
        self.ask("POST", f"/element/{element}/clear", {})
        self.ask("POST", f"/element/{element}/value", {"text": text})

    def key(self, name):
        key = KEYS.get(name, name)
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]}]})

    def size(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)

    def dark(self, dark):
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def shot(self, file):
        """The whole page, however long."""
        data = self.cdp("Page.captureScreenshot", captureBeyondViewport=True, format="png")["data"]
        with open(file, "wb") as out:
            out.write(base64.b64decode(data))

    def log(self, kind):
        return self.ask("POST", "/se/log", {"type": kind})

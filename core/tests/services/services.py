"""The services of one run: started on free ports, waited for, described, and ended."""

import base64
import ctypes
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import devices
import pinned
import stores
import trust
from issuer import EMAIL, METADATA, REQUEST_TOKEN, Issuer

READY_WITHIN = 90
TAIL = 40


class Services:
    def __init__(self, folder: Path):
        self.folder = folder
        self._started = []
        self._issuer = None

    def start(self):
        """Starts all and gives what `services.json` says."""
        keys_folder = self.folder / "keys"
        keys_folder.mkdir()
        keys = trust.Keys(keys_folder)
        keys.serving()
        self._issuer = Issuer(keys_folder)
        ctlog = self._ctlog(keys)
        fulcio = self._fulcio(keys, ctlog)
        rekor, origin = self._rekor(keys)
        tsa = self._timestamp(keys)
        registry = self._listening("registry", lambda port: [pinned.program("registry"), f"127.0.0.1:{port}"])
        plain = self._distribution()
        kms, vault = self._kms(), self._vault()
        buckets = {
            "versitygw": self._listening("versitygw", lambda port: stores.versitygw(self.folder, port)),
            "seaweedfs": self._listening(
                "seaweedfs", lambda port: stores.seaweedfs(self.folder, port, _free_port), "/healthz"
            ),
        }
        over_tls = self._listening(
            "versitygw-tls", lambda port: stores.versitygw(self.folder, port, "versitygw-tls", keys)
        )
        databases = [self._postgres(name) for name in ("postgres", "postgres-spare", "postgres-restarted")]
        database_over_tls = self._postgres("postgres-tls", keys)
        witness = self._witness()
        self._ready()
        rekor_v1, origin_v1 = self._rekor_v1(keys, databases[1])
        for port in buckets.values():
            stores.make_buckets(f"http://127.0.0.1:{port}")
        stores.make_buckets(f"https://localhost:{over_tls}", keys.path("ca.crt"))
        for _ in range(2):
            trust.log_something(keys, rekor)

        root = trust.trusted_root(keys, fulcio, origin, ctlog, tsa)
        root_v1 = trust.with_rekor_v1(keys, root, origin_v1)
        config = trust.signing_config(fulcio, rekor, tsa, f"{self._issuer.url}/email")
        found = {
            "folder": str(self.folder),
            "oidc": {
                "url": self._issuer.url,
                "email_issuer": f"{self._issuer.url}/email",
                "ci_issuer": f"{self._issuer.url}/ci",
                "email": EMAIL,
                "github_request_url": f"{self._issuer.url}/github?api-version=2.0",
                "github_request_token": REQUEST_TOKEN,
                "google_metadata_url": f"{self._issuer.url}{METADATA}",
            },
            "fulcio": fulcio,
            "rekor": rekor,
            "rekor_origin": origin,
            "rekor_v1": rekor_v1,
            "rekor_v1_public": str(keys.path("rekor-v1.pub")),
            "tsa": tsa,
            "ctlog": ctlog,
            "registry": f"127.0.0.1:{registry}",
            "registry_without_referrers": f"127.0.0.1:{plain}",
            "trusted_root": trust.write(self.folder / "trusted_root.json", root),
            "trusted_root_v1": trust.write(self.folder / "trusted_root_v1.json", root_v1),
            "signing_config": trust.write(self.folder / "signing_config.json", config),
            "trust_config": trust.write(self.folder / "trust_config.json", trust.trust_config(root, config)),
            "kms": devices.kms_keys(f"http://127.0.0.1:{kms}", self.folder),
            "vault": devices.vault_keys(f"http://127.0.0.1:{vault}", self.folder),
            "pkcs11": devices.softhsm_token(self.folder),
            "buckets": {
                "access_key": stores.ACCESS_KEY,
                "secret_key": stores.SECRET_KEY,
                **{name: f"http://127.0.0.1:{port}" for name, port in buckets.items()},
            },
            "postgres": {
                "url": databases[0].url,
                "spare": databases[1].url,
                "restarted": databases[2].url,
                "restarted_pid": str(databases[2].data / "postmaster.pid"),
                "restart": [str(word) for word in databases[2].command()],
            },
            "tls": {
                "authority": str(keys.path("ca.crt")),
                "another_authority": str(keys.path("other-ca.crt")),
                "bucket_port": str(over_tls),
                "postgres_port": str(database_over_tls.port),
            },
            "witness": witness,
            "tlog": str(pinned.program("tlog")),
            "cosign": str(pinned.program("cosign")),
            "gitsign": str(pinned.program("gitsign")),
            "gitsign_commit": str(pinned.module_file("gitsign.commit")),
            "python": str(pinned.python()),
            "node": str(pinned.js() / "node_modules" / ".bin" / "node"),
            "node_modules": str(pinned.js() / "node_modules"),
        }
        return trust.write(self.folder / "services.json", found)

    def stop(self):
        for _, process, _, _ in self._started:
            process.terminate()
        for _, process, _, _ in self._started:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._issuer:
            self._issuer.stop()

    def _ctlog(self, keys):
        storage = self.folder / "ctlog"
        port = self._listening(
            "ctlog",
            lambda port: [
                pinned.program("ctlog"),
                f"127.0.0.1:{port}",
                storage,
                keys.path("ctlog.key"),
                keys.path("fulcio-root.crt"),
            ],
        )
        return f"http://127.0.0.1:{port}"

    def _fulcio(self, keys, ctlog):
        public = self.folder / "ctlog.pub"
        public.write_bytes(subprocess.check_output(["openssl", "pkey", "-in", keys.path("ctlog.key"), "-pubout"]))
        config = self.folder / "fulcio.yaml"
        config.write_text((pinned.HERE / "fulcio.yaml").read_text().replace("ISSUER", self._issuer.url))
        grpc, metrics = _free_port(), _free_port()
        port = self._listening(
            "fulcio",
            lambda port: [
                pinned.program("fulcio"),
                "serve",
                "--host=127.0.0.1",
                f"--port={port}",
                "--grpc-host=127.0.0.1",
                f"--grpc-port={grpc}",
                f"--metrics-port={metrics}",
                f"--legacy-unix-domain-socket=@sealwright-fulcio-{port}",
                "--ca=fileca",
                f"--fileca-cert={keys.path('fulcio-chain.pem')}",
                f"--fileca-key={keys.path('fulcio.key')}",
                f"--fileca-key-passwd={trust.PASSWORD}",
                "--fileca-watch=false",
                f"--ct-log-url={ctlog}",
                f"--ct-log-public-key-path={public}",
                f"--config-path={config}",
            ],
            "/healthz",
        )
        return f"http://127.0.0.1:{port}"

    def _rekor(self, keys):
        grpc, metrics, origin = _free_port(), _free_port(), "rekor.example.org"
        port = self._listening(
            "rekor",
            lambda port: [
                pinned.program("rekor"),
                "serve",
                f"--http-port={port}",
                f"--grpc-port={grpc}",
                f"--http-metrics-port={metrics}",
                f"--hostname={origin}",
                f"--storage-dir={self.folder / 'rekor'}",
                f"--signer-filepath={keys.path('rekor.key')}",
                "--batch-max-age=20ms",
                "--checkpoint-interval=200ms",
                "--log-level=warn",
            ],
            "/healthz",
        )
        return f"http://127.0.0.1:{port}", origin

    def _rekor_v1(self, keys, database):
        """Rekor's first version. It makes its tree in Trillian when it starts, so the others must be there."""
        uri = database.make("trillian", pinned.module_file("trillian.sql"))
        storage = ["--storage_system=postgresql", f"--postgresql_uri={uri}", "--quota_system=noop", "--http_endpoint="]

        def trillian(program, *more):
            command = [pinned.program(program), *storage, *more]
            return self._listening(program, lambda port: [*command, f"--rpc_endpoint=127.0.0.1:{port}"])

        log = trillian("trillian_log_server")
        trillian("trillian_log_signer", "--force_master", "--sequencer_interval=20ms", "--batch_size=50")
        self._ready()
        public = keys.path("rekor-v1.pub")
        public.write_bytes(subprocess.check_output(["openssl", "pkey", "-in", keys.path("rekor-v1.key"), "-pubout"]))
        origin = "rekor.example.net"
        port = self._listening(
            "rekor_v1",
            lambda port: [
                pinned.program("rekor_v1"),
                "serve",
                f"--port={port}",
                f"--rekor_server.hostname={origin}",
                f"--rekor_server.signer={keys.path('rekor-v1.key')}",
                f"--trillian_log_server.port={log}",
                "--enable_retrieve_api=false",
                "--log_type=prod",
            ],
            "/ping",
        )
        self._ready()
        return f"http://127.0.0.1:{port}", origin

    def _timestamp(self, keys):
        port = self._listening(
            "timestamp",
            lambda port: [
                pinned.program("timestamp"),
                "127.0.0.1",
                port,
                keys.path("tsa.key"),
                trust.PASSWORD,
                keys.path("tsa-chain.pem"),
            ],
            "/ping",
        )
        return f"http://127.0.0.1:{port}/api/v1/timestamp"

    def _distribution(self):
        config = self.folder / "distribution.json"

        def command(port):
            config.write_text(
                json.dumps(
                    {
                        "version": "0.1",
                        "log": {"level": "warn"},
                        "storage": {
                            "filesystem": {"rootdirectory": str(self.folder / "distribution")},
                            "delete": {"enabled": True},
                        },
                        "http": {"addr": f"127.0.0.1:{port}"},
                    }
                )
            )
            return [pinned.program("distribution"), "serve", config]

        return self._listening("distribution", command, "/v2/")

    def _kms(self):
        command = [pinned.python(), pinned.HERE / "kms.py", self.folder, "-H", "127.0.0.1"]
        return self._listening("moto", lambda port: [*command, "-p", port], "/moto-api/")

    def _vault(self):
        return self._listening(
            "openbao",
            lambda port: [
                pinned.bao(),
                "server",
                "-dev",
                "-dev-no-store-token",
                f"-dev-root-token-id={devices.VAULT_TOKEN}",
                f"-dev-listen-address=127.0.0.1:{port}",
            ],
            "/v1/sys/health",
        )

    def _postgres(self, name, tls=None):
        made = []

        def command(port):
            made.append(stores.Postgres(self.folder, name, port, tls))
            return made[0].command()

        self._listening(name, command)
        return made[0]

    def _witness(self):
        """litewitness, whose key is held by an ssh-agent, and whose logs tests add to its database."""
        name, folder = "witness.example.org/torchwood", self.folder / "litewitness"
        folder.mkdir()
        key, agent, db = folder / "key", folder / "agent", folder / "litewitness.db"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
        self._spawn("ssh-agent", ["ssh-agent", "-D", "-a", agent])
        until = time.monotonic() + READY_WITHIN
        while not agent.exists() and time.monotonic() < until:
            time.sleep(0.05)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["ssh-add", "-q", key], env={**os.environ, "SSH_AUTH_SOCK": str(agent)}, check=True, **quiet)
        blob = base64.b64decode((folder / "key.pub").read_text().split()[1])
        fingerprint = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
        port = self._listening(
            "litewitness",
            lambda port: [
                pinned.program("litewitness"),
                f"-name={name}",
                f"-db={db}",
                f"-ssh-agent={agent}",
                f"-listen=127.0.0.1:{port}",
                f"-key=SHA256:{fingerprint}",
            ],
        )
        material = b"\x04" + blob[-32:]
        key_id = hashlib.sha256(name.encode() + b"\n" + material).hexdigest()[:8]
        vkey = f"{name}+{key_id}+{base64.b64encode(material).decode()}"
        return {"name": name, "url": f"http://127.0.0.1:{port}", "vkey": vkey, "db": str(db)}

    def _listening(self, name, command, health=None):
        """Starts `command(port)` and gives the port; `_ready` waits for it."""
        port = _free_port()
        self._spawn(name, command(port), port, health)
        return port

    def _spawn(self, name, command, port=None, health=None):
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "HOME": str(self.folder)},
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self._started.append((name, process, port, health))

    def _ready(self):
        until = time.monotonic() + READY_WITHIN
        for name, process, port, health in self._started:
            while port and not _answers(port, health):
                if process.poll() is not None:
                    self._give_up(name, f"ended with {process.returncode}")
                if time.monotonic() > until:
                    self._give_up(name, f"did not answer on port {port} within {READY_WITHIN} s")
                time.sleep(0.1)

    def _give_up(self, name, why):
        lines = (self.folder / f"{name}.log").read_text(errors="replace").splitlines()
        print("\n".join(lines[-TAIL:]), file=sys.stderr)
        pinned.fail(f"{name} {why}; above is the end of its log")


def _free_port():
    # below the range that the kernel takes for outgoing connections, so that none of those takes it first
    while True:
        port = random.randint(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def _answers(port, health):
    try:
        if health is None:
            socket.create_connection(("127.0.0.1", port), 1).close()
        else:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{health}", timeout=2).close()
        return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def _die_with_parent():
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: also when we are killed outright

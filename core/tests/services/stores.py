"""Object storage and databases of a run: two S3 servers that have little in common, and two PostgreSQL servers."""

import json
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pinned

ACCESS_KEY = "sealwright"
SECRET_KEY = "sealwright-secret"
# found where Debian has them, and on a path
POSTGRES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


def versitygw(folder, port, name="versitygw", tls=None):
    """Its objects are files under `folder/name/objects`. With `tls` it speaks nothing else."""
    objects, versions = folder / name / "objects", folder / name / "versions"
    for made in (objects, versions):
        made.mkdir(parents=True, exist_ok=True)
    return [
        pinned.program("versitygw"),
        "--quiet",
        *(["--cert", tls.path("server.crt"), "--key", tls.path("server.key")] if tls else []),
        "--access", ACCESS_KEY,
        "--secret", SECRET_KEY,
        "--port", f"127.0.0.1:{port}",
        "posix",
        "--versioning-dir", versions,
        objects,
    ]  # fmt: skip


def seaweedfs(folder, port, free_port):
    own = folder / "seaweedfs"
    (own / "data").mkdir(parents=True, exist_ok=True)
    config = own / "s3.json"
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    config.write_text(
        json.dumps(
            {
                "identities": [
                    {
                        "name": "tests",
                        "credentials": credentials,
                        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                    }
                ]
            }
        )
    )
    ports = [free_port() for _ in range(3)]
    return [
        pinned.weed(),
        "server",
        f"-dir={own / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-master.port={ports[0]}",
        "-master.volumeSizeLimitMB=64",
        f"-volume.port={ports[1]}",
        "-volume.max=100",
        "-filer",
        f"-filer.port={ports[2]}",
        "-s3",
        f"-s3.port={port}",
        f"-s3.config={config}",
        # catalogs of tables on ports of their own, which another run would want as well
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]


def make_buckets(url, authority=None):
    """`plain`, and `locked` with Object Lock."""
    made = (
        "import sys, boto3;"
        "from botocore.config import Config;"
        "c = boto3.client('s3', endpoint_url=sys.argv[1], aws_access_key_id=sys.argv[2],"
        " aws_secret_access_key=sys.argv[3], region_name='us-east-1',"
        " config=Config(s3={'addressing_style': 'path'}));"
        "c.create_bucket(Bucket='plain');"
        "c.create_bucket(Bucket='locked', ObjectLockEnabledForBucket=True)"
    )
    env = {**os.environ, **({"AWS_CA_BUNDLE": str(authority)} if authority else {})}
    subprocess.run([str(pinned.python()), "-c", made, url, ACCESS_KEY, SECRET_KEY], check=True, env=env)


class Postgres:
    """A server of its own, which does not run as root. With `tls` it lets nobody in without."""

    def __init__(self, folder, name, port, tls=None):
        self.data = folder / name
        self.port = port
        self._tls = tls
        self._programs = programs()
        self._as = []
        self.data.mkdir()
        if os.geteuid() == 0:
            # the folders above are this user's alone, so it is let through
            for above in (folder, *folder.parents):
                if not above.stat().st_mode & 0o001:
                    above.chmod(above.stat().st_mode | 0o011)
            user = pwd.getpwnam("nobody")
            shutil.chown(self.data, user.pw_uid, user.pw_gid)
            self._as = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        make = ["initdb", "-D", self.data, "-U", "sealwright", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"]
        self._run(*make)
        if tls:
            for file in ("server.crt", "server.key"):
                own = self.data / file
                shutil.copyfile(tls.path(file), own)
                own.chmod(0o600)
                if self._as:
                    shutil.chown(own, user.pw_uid, user.pw_gid)
            (self.data / "pg_hba.conf").write_text("hostssl all all samehost trust\n")

    def command(self):
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": "200",
            "shared_buffers": "32MB",
        }
        if self._tls:
            settings |= {"ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key"}
        given = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [*self._as, self._programs / "postgres", "-D", self.data, "-p", str(self.port), *given]

    @property
    def url(self):
        return f"postgres://sealwright@127.0.0.1:{self.port}/postgres"

    def make(self, database, schema):
        """Another database, with the tables of a file; gives its address."""
        for name, words in (("postgres", ["-c", f"CREATE DATABASE {database}"]), (database, ["-f", schema])):
            where = ["-h", "127.0.0.1", "-p", self.port, "-U", "sealwright", "-d", name]
            command = [shutil.which("psql") or self._programs / "psql", "-q", "-v", "ON_ERROR_STOP=1", *where, *words]
            subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
        return f"postgres://sealwright@127.0.0.1:{self.port}/{database}"

    def _run(self, program, *words):
        command = [*self._as, str(self._programs / program), *map(str, words)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


def programs():
    found = [Path(shutil.which("initdb")).parent] if shutil.which("initdb") else []
    for pattern in POSTGRES:
        found += sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)
    for folder in found:
        if (folder / "initdb").exists():
            return folder
    return pinned.fail("PostgreSQL is missing: install it (package postgresql)")

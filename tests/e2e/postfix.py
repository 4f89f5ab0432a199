"""Debian's Postfix on a free port of 127.0.0.1, with STARTTLS; it delivers nothing."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import web

MAIN = """compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.com
mydestination =
local_recipient_maps =
alias_maps =
maillog_file = {dir}/log/maillog
maillog_file_prefixes = {dir}
smtpd_recipient_restrictions = reject
default_process_limit = {limit}
smtpd_client_connection_count_limit = {limit}
smtpd_tls_security_level = may
smtpd_tls_chain_files = {key}, {chain}
"""
MASTER = """127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
"""


class Postfix:
    """Runs until the test has ended. Needs root, as Postfix does. `limit`: connections at once."""

    def __init__(self, test, chain, key, limit=50):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="stsctl-postfix-"))
        self.dir.chmod(0o755)
        test.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.port = web.free_port()
        for name in ("queue", "data", "log"):
            (self.dir / name).mkdir()
        shutil.chown(self.dir / "data", "postfix")
        (self.dir / "main.cf").write_text(MAIN.format(dir=self.dir, chain=chain, key=key, limit=limit))
        (self.dir / "master.cf").write_text(MASTER.format(port=self.port))
        self._run("start")
        test.addCleanup(self._run, "abort")

    def _run(self, command):
        as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        done = subprocess.run([*as_root, "/usr/sbin/postfix", "-c", self.dir, command], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr + done.stdout)

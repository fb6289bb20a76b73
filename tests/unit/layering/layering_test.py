"""Runs the layering check over the repository, and proves first that it would find each kind of fault."""

import tempfile
import unittest
from pathlib import Path

import layering

ROOT = Path(__file__).resolve().parents[3]

PLANTED = {
    "CoreMayNotIncludeNet": ("proxy/core/fence.cc", '#include "net/conn.h"'),
    "CoreMayNotIncludeWs": ("proxy/core/fence.cc", '#include "ws/frame_scanner.h"'),
    "CoreMayNotIncludeTheSystem": ("proxy/core/fence.h", "#include <sys/socket.h>"),
    "WsMayNotIncludeHttp": ("proxy/ws/handshake.cc", '#include "http/message.h"'),
    "HttpMayNotIncludeConfig": ("proxy/http/message.cc", '#include "config/load.h"'),
    "HttpMayNotIncludeZlib": ("proxy/http/message.cc", "#include <zlib.h>"),
    "NetMayNotIncludeTls": ("proxy/net/conn.cc", "#include <openssl/ssl.h>"),
    "HttpMayNotIncludeTls": ("proxy/http/upgrade.cc", "#include <openssl/sslerr.h>"),
    "TlsMayNotIncludeHttp": ("proxy/tls/tls_stream.cc", '#include "http/message.h"'),
    "TlsMayNotIncludeTheSystem": ("proxy/tls/wire.cc", "#include <sys/socket.h>"),
    "AuthMayNotIncludeWs": ("proxy/auth/jwt.cc", '#include "ws/frame_scanner.h"'),
    "AuthMayNotIncludeConfig": ("proxy/auth/jwt.cc", '#include "config/load.h"'),
    "AuthMayNotIncludeTheSystem": ("proxy/auth/key_file.cc", "#include <sys/stat.h>"),
    "HttpMayNotIncludeAuth": ("proxy/http/target.cc", '#include "auth/jwt.h"'),
    "ConfigMayNotIncludeApp": ("proxy/config/load.cc", '#include "app/worker.h"'),
    "NetMayNotIncludeAdmin": ("proxy/net/listener.cc", '#include "admin/metrics.h"'),
    "NetMayNotIncludeApp": ("proxy/net/listener.cc", '  #  include "app/worker.h"'),
    "NetMayNotIncludeLibwebsockets": ("proxy/net/transport.cc", "#include <libwebsockets.h>"),
    "AppMayNotIncludeLibwebsockets": ("proxy/app/worker.cc", "#include <libwebsockets.h>"),
    "MainMayNotIncludeLibwebsockets": ("proxy/main.cc", "#include <libwebsockets.h>"),
    "AppMayNotIncludeYaml": ("proxy/app/worker.cc", "#include <yaml-cpp/yaml.h>"),
    "NetMayNotIncludeHiredis": ("proxy/net/dialer.cc", "#include <hiredis/hiredis.h>"),
    "ContractsMayNotIncludeLibraries": ("include/connguard/turn.h", "#include <simdjson.h>"),
    "ContractsMayNotIncludeFolders": ("include/connguard/turn.h", '#include "core/turn.h"'),
    "PathsAreWholeOnes": ("proxy/core/fence.cc", '#include "fence.h"'),
    "EveryFolderHasARule": ("proxy/misc/misc.cc", ""),
    "FilesStayShort": ("proxy/core/fence.cc", "\n" * (layering.MAX_LINES + 1)),
}


class LayeringTest(unittest.TestCase):
    def test_the_repository_keeps_the_rules(self):
        self.assertGreater(len(list(layering.sources(ROOT))), 10)
        self.assertEqual([], layering.violations(ROOT))

    def test_planted_faults_are_found(self):
        for name, (path, text) in PLANTED.items():
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                root = Path(folder)
                (root / path).parent.mkdir(parents=True)
                (root / path).write_text(f"// A file.\n#include <vector>\n{text}\n", encoding="utf-8")
                found = layering.violations(root)
                self.assertEqual(1, len(found), found)
                self.assertIn(path, found[0])

    def test_what_is_allowed_is_not_found(self):
        allowed = {
            "proxy/net/conn.cc": '#include <sys/socket.h>\n#include "core/fence.h"\n',
            "proxy/admin/admin_server.cc": "#include <libwebsockets.h>\n",
            "proxy/ws/json.cc": '#include <simdjson.h>\n#include <zlib.h>\n#include "connguard/turn.h"\n',
            "proxy/tls/wire.cc": '#include <openssl/ssl.h>\n#include <openssl/err.h>\n',
            "proxy/main.cc": '#include <CLI/CLI.hpp>\n#include "app/worker.h"\n',
        }
        with tempfile.TemporaryDirectory() as folder:
            for path, text in allowed.items():
                (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / path).write_text(text, encoding="utf-8")
            self.assertEqual([], layering.violations(Path(folder)))


if __name__ == "__main__":
    unittest.main(verbosity=2)

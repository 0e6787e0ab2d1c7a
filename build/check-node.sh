#!/bin/sh
# Is there a Node.js that can run this? One line if not.
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null ||
  { echo "IntegrateDB needs Node.js 20.19 or later (found: $(node --version 2>/dev/null || echo none)). Install it and try again." >&2; exit 1; }
npm --version >/dev/null 2>&1 || { echo "IntegrateDB needs npm, which comes with Node.js. Install it and try again." >&2; exit 1; }

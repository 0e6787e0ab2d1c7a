import { readFileSync } from 'node:fs'
import { installFile, uninstallFile } from '../../sql-file.ts'
import { command } from '../command.ts'

export const sql = command({
  summary: 'prints the SQL that installs IntegrateDB, or its path',
  help: `integratedb sql: prints the SQL that installs IntegrateDB, or upgrades it in place

  integratedb sql | psql -d yourdatabase
  psql -d yourdatabase -f "$(integratedb sql --path)"

  --path                the file's path, not its content
  --uninstall           the SQL that takes it all away
`,
  options: { path: false, uninstall: false },
  async run({ path, uninstall }, terminal) {
    const file = uninstall ? uninstallFile : installFile
    await terminal.print(path ? `${file}\n` : readFileSync(file, 'utf8'))
  },
})

// Where is the file that a database is given? Beside the folder of this one, in the sources (src) as in the package (dist).

import { fileURLToPath } from 'node:url'

/** Installs IntegrateDB, or upgrades it in place: one statement, for any client. */
export const installFile: string = fileURLToPath(new URL('../dist-sql/integratedb.sql', import.meta.url))

/** Takes it all away. */
export const uninstallFile: string = fileURLToPath(new URL('../dist-sql/uninstall.sql', import.meta.url))

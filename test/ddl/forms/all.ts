/** All rows, in the order of the page. */
import type { Form } from '../form.ts'
import { columnForms } from './column.ts'
import { constraintForms } from './constraint.ts'
import { extensionForms } from './extension.ts'
import { foreignTableForms } from './foreign-table.ts'
import { functionForms } from './function.ts'
import { indexForms } from './index-object.ts'
import { materializedViewForms } from './materialized-view.ts'
import { partitionForms } from './partition.ts'
import { policyForms } from './policy.ts'
import { privilegeForms } from './privilege.ts'
import { publicationForms } from './publication.ts'
import { roleForms } from './role.ts'
import { schemaForms } from './schema.ts'
import { sequenceForms } from './sequence.ts'
import { sessionForms } from './session.ts'
import { tableForms } from './table.ts'
import { triggerForms } from './trigger.ts'
import { typeForms } from './type.ts'
import { viewForms } from './view.ts'

export const allForms: Form[] = [
  ...columnForms,
  ...constraintForms,
  ...tableForms,
  ...indexForms,
  ...viewForms,
  ...materializedViewForms,
  ...foreignTableForms,
  ...partitionForms,
  ...typeForms,
  ...sequenceForms,
  ...schemaForms,
  ...privilegeForms,
  ...policyForms,
  ...triggerForms,
  ...functionForms,
  ...extensionForms,
  ...publicationForms,
  ...roleForms,
  ...sessionForms,
]

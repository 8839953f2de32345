{{/* What the server has to know of the hub. */}}

{{- define "ngshare.serviceName" -}}
{{- .Values.hub.serviceName | default (include "ngshare.name" .) -}}
{{- end -}}

{{/* The hub's base URL, beginning and ending with a slash. */}}
{{- define "ngshare.baseUrl" -}}
{{- $path := .Values.hub.baseUrl | default "/" | trimAll "/" -}}
{{- if $path -}}/{{ $path }}/{{- else -}}/{{- end -}}
{{- end -}}

{{- define "ngshare.prefix" -}}
{{ include "ngshare.baseUrl" . }}services/{{ include "ngshare.serviceName" . }}/
{{- end -}}

{{/* The hub's namespace where it is not ours; else nothing. */}}
{{- define "ngshare.otherNamespace" -}}
{{- if ne (.Values.hub.namespace | default .Release.Namespace) .Release.Namespace -}}
{{- .Values.hub.namespace -}}
{{- end -}}
{{- end -}}

{{- define "ngshare.apiUrl" -}}
{{- if .Values.hub.apiUrl -}}
{{- .Values.hub.apiUrl | trimSuffix "/" -}}
{{- else -}}
{{- $namespace := include "ngshare.otherNamespace" . -}}
http://hub{{ with $namespace }}.{{ . }}.svc{{ end }}:8081{{ include "ngshare.baseUrl" . }}hub/api
{{- end -}}
{{- end -}}

{{/* Where browsers find the hub: where only a host is given, below the base URL. */}}
{{- define "ngshare.publicUrl" -}}
{{- $url := .Values.hub.publicUrl | trimSuffix "/" -}}
{{- $url }}{{ if not (urlParse $url).path }}{{ include "ngshare.baseUrl" . }}hub/{{ end -}}
{{- end -}}

{{/* The port in the hub's address, for the NetworkPolicy. */}}
{{- define "ngshare.apiPort" -}}
{{- $url := include "ngshare.apiUrl" . | urlParse -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $port | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- end -}}

{{/*
The namespace in the hub's address, as in http://hub.NAMESPACE.svc:8081; else nothing. Without `.svc` it may be a host of the internet, unless
it is the namespace that the hub is in.
*/}}
{{- define "ngshare.apiNamespace" -}}
{{- $host := (include "ngshare.apiUrl" . | urlParse).host -}}
{{- $namespace := .Values.hub.namespace | default .Release.Namespace -}}
{{- if regexMatch (printf "^[^.:]+\\.([^.:]+\\.svc([.:]|$)|%s(:|$))" $namespace) $host -}}
{{- index (splitList "." (regexFind "^[^:]+" $host)) 1 -}}
{{- end -}}
{{- end -}}

{{/* Whether the hub's address is that of a Service in the cluster, whose pods have the labels of the hub's chart: "true" or nothing. */}}
{{- define "ngshare.hubIsInCluster" -}}
{{- $host := (include "ngshare.apiUrl" . | urlParse).host -}}
{{- if or (include "ngshare.apiNamespace" .) (not (regexMatch "[.[]" $host)) -}}true{{- end -}}
{{- end -}}

{{- define "ngshare.tokenSecret" -}}
{{- if .Values.hub.token.value -}}
{{- include "ngshare.nameWith" (list . "hub-token") -}}
{{- else -}}
{{- tpl .Values.hub.token.existingSecret . -}}
{{- end -}}
{{- end -}}

{{- define "ngshare.tokenKey" -}}
{{- if .Values.hub.token.value -}}
token
{{- else if .Values.hub.token.key -}}
{{- tpl .Values.hub.token.key . -}}
{{- else -}}
hub.services.{{ include "ngshare.serviceName" . }}.apiToken
{{- end -}}
{{- end -}}

{{/* Whether it serves without a hub: "true" or nothing. */}}
{{- define "ngshare.isStandalone" -}}
{{- if get .Values.config "standalone" -}}true{{- end -}}
{{- end -}}

{{/* Names and labels. */}}

{{/* The name in labels: that of ngshare's own chart, for the selector of a Deployment cannot be changed, and ours takes over from it. */}}
{{- define "ngshare.name" -}}
{{- .Values.nameOverride | default "ngshare" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of objects, made as ngshare's own chart makes it, so that an upgrade from it replaces Deployment and Service in place. */}}
{{- define "ngshare.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := .Values.nameOverride | default "ngshare" -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* An object's name with an ending: `(list . "data")`. Cut before the ending, not within it, or two objects would have one name. */}}
{{- define "ngshare.nameWith" -}}
{{- $room := int (sub 62 (len (index . 1))) -}}
{{- printf "%s-%s" (include "ngshare.fullname" (index . 0) | trunc $room | trimSuffix "-") (index . 1) -}}
{{- end -}}

{{/* What tells the server's pods from all others. The pod of `helm test` must not have both. */}}
{{- define "ngshare.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ngshare.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* The pod of `helm test`: no request may go to it, and the NetworkPolicy has to let it in. */}}
{{- define "ngshare.doctorLabels" -}}
app.kubernetes.io/name: {{ printf "%s-doctor" (include "ngshare.name" . | trunc 56 | trimSuffix "-") | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Labels of every object; ours count before the user's, or a selector would find nothing. */}}
{{- define "ngshare.labels" -}}
{{- $ours := include "ngshare.selectorLabels" . | fromYaml -}}
{{- $_ := set $ours "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- $_ := set $ours "app.kubernetes.io/version" (.Chart.AppVersion | replace "+" "_") -}}
{{- $_ := set $ours "app.kubernetes.io/managed-by" .Release.Service -}}
{{- merge $ours .Values.labels | toYaml -}}
{{- end -}}

{{- define "ngshare.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "ngshare.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "ngshare.claimName" -}}
{{- if .Values.persistence.existingClaim -}}
{{- tpl .Values.persistence.existingClaim . -}}
{{- else -}}
{{- include "ngshare.nameWith" (list . "data") -}}
{{- end -}}
{{- end -}}

{{/* Whether pods on several nodes can have the volume at once: "true" or nothing. */}}
{{- define "ngshare.isShared" -}}
{{- if and .Values.persistence.enabled (has "ReadWriteMany" .Values.persistence.accessModes) -}}true{{- end -}}
{{- end -}}

import { createApp } from 'vue'
import '../ui/base.css'
import '../ui/forms.css'
import './report.css'
import { applySettings, theme } from '../ui/settings'
import App from './App.vue'

// Out of doors light is easier to read, unless the telephone says otherwise.
try {
  if (!localStorage.getItem('lianqin.theme') && !matchMedia('(prefers-color-scheme: dark)').matches) theme.value = 'light'
} catch {
  // No store: the theme stays as it is.
}
applySettings((words) => words.report.title)
createApp(App).mount('#app')
